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
  grep -oE '"(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+' $latest/meta_data.json | tr -d '"' | sort -u >/root/.ssh/authorized_keys
  [ -f $latest/network_data.json ] && tr '{' '\n' <$latest/network_data.json >/run/network_data
  umount /run/config
}

# The first value of a key in network_data.json, whose objects stand on a line each.
wired() {
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" /run/network_data | head -n 1
}

# By network_data.json if that has an IPv4 address for a card, else by DHCP.
bring_up() {
  ip link set "$1" up
  if grep -q '"type":"ipv4"' /run/network_data 2>/dev/null && [ "$(wired ethernet_mac_address)" = "$(cat "/sys/class/net/$1/address")" ]; then
    ifconfig "$1" "$(wired ip_address)" netmask "$(grep '"type":"ipv4"' /run/network_data | sed -n 's/.*"netmask":"\([^"]*\)".*/\1/p' | head -n 1)"
    [ -n "$(wired gateway)" ] && ip -4 route replace default via "$(wired gateway)" dev "$1"
    return 0
  fi
  udhcpc -i "$1" -s /bin/lease -t 10 -T 3 -n -S >/dev/null 2>&1
}

bring_up_network() {
  for path in /sys/class/net/*; do
    card=${path##*/}
    [ -e "$path/device" ] || continue
    bring_up "$card" && tell "BLOOMERY-NETWORK $card $(ip -4 -o addr show "$card" | awk '{print $4}')"
  done
}

# What firmware and boot loader left on the line ends here.
tell ""
if find_drive; then read_drive; else tell "BLOOMERY-NO-CONFIG-DRIVE"; fi
tell "BLOOMERY-READY"
ip link set lo up
bring_up_network &
dropbear -R -s
mkdir -p /etc/acpi/PWRF
ln -sf /bin/power-button /etc/acpi/PWRF/00000080
acpid -l /run/acpid.log
while :; do sleep 3600 & wait $!; done
