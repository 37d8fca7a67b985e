#!/bin/sh
# PID 1 of the small image: what its config drive says goes to the serial port, then DHCP, then it waits for the power button.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /run
mount -t tmpfs run /run

tell() {
  echo "$*" >/dev/ttyS0 2>/dev/null || echo "$*"
}

find_drive() {
  tries=0
  until drive=$(findfs LABEL=config-2 2>/dev/null || findfs LABEL=CONFIG-2 2>/dev/null); do
    tries=$((tries + 1))
    [ $tries -gt 15 ] && return 1
    sleep 0.2
  done
}

# A key of a JSON object's first level, when its value is a string without escapes.
top_level() {
  awk -v wanted="$1" '
    { text = text $0 "\n" }
    END {
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "{" || c == "[") { depth++; key = "" }
        else if (c == "}" || c == "]") depth--
        else if (c == ",") key = ""
        else if (c == "\"") {
          word = ""
          while (++i <= length(text) && (c = substr(text, i, 1)) != "\"") { if (c == "\\") c = c substr(text, ++i, 1); word = word c }
          if (key == "" ) key = word
          else if (depth == 1 && key == wanted) { print word; exit }
        }
      }
    }' "$2"
}

read_drive() {
  mkdir -p /run/config
  mount -o ro "$drive" /run/config || { tell "BLOOMERY-FAILED config drive $drive cannot be mounted"; return; }
  latest=/run/config/openstack/latest
  name=$(top_level hostname $latest/meta_data.json)
  tell "BLOOMERY-INSTANCE hostname=$name uuid=$(top_level uuid $latest/meta_data.json)"
  hostname "${name:-unnamed}"
  if [ -f $latest/user_data ]; then
    tell "BLOOMERY-USERDATA $(sha256sum <$latest/user_data | cut -d ' ' -f 1) $(head -n 1 $latest/user_data | cut -c 1-200)"
  fi
  umount /run/config
}

bring_up_network() {
  for path in /sys/class/net/*; do
    card=${path##*/}
    [ -e "$path/device" ] || continue
    ip link set "$card" up
    udhcpc -i "$card" -s /bin/lease -t 10 -T 3 -n -S >/dev/null 2>&1 &&
      tell "BLOOMERY-NETWORK $card $(ip -4 -o addr show "$card" | awk '{print $4}')"
  done
}

# What firmware and boot loader left on the line ends here.
tell ""
if find_drive; then read_drive; else tell "BLOOMERY-NO-CONFIG-DRIVE"; fi
tell "BLOOMERY-READY"
ip link set lo up
bring_up_network &
mkdir -p /etc/acpi/PWRF
ln -sf /bin/power-button /etc/acpi/PWRF/00000080
acpid -l /run/acpid.log
while :; do sleep 3600 & wait $!; done
