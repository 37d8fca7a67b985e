#!/bin/sh
# The chassis of one server, as ipmi_sim drives it: chassis.sh DIR NETNS 0x20 {get|set} WHAT [VALUE]
# State is files in DIR: `boot` (device chosen by the BMC), `pid` (QEMU's), `qemu.DEVICE` (its arguments, one a line).
# ipmi_sim waits for the answer and answers nobody else meanwhile, so this does its work in well under a second.
dir=$1 netns=$2 verb="$4 $5" value=$6

# QEMU's pid, if it lives. A pid alone may have been given to another program, and a zombie has no command line.
alive() {
  read -r pid 2>/dev/null <"$dir/pid" || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF " $dir/pid "
}

boot_device() { cat "$dir/boot" 2>/dev/null || echo none; }

power_on() {
  alive && return
  mkfifo -m 600 "$dir/monitor.in" 2>/dev/null
  ln -sf /dev/null "$dir/monitor.out" # nobody reads the monitor's answers, and a full pipe would stall it
  rm -f "$dir/pid"
  xargs -d '\n' -a "$dir/qemu.$(boot_device)" ip netns exec "$netns" qemu-system-x86_64 >>"$dir/qemu.log" 2>&1
}

power_off() {
  alive || return 0
  kill -TERM "$pid" # QEMU then ends at once, whatever the guest does
  tries=0
  while alive; do
    tries=$((tries + 1))
    [ "$tries" -eq 20 ] && kill -KILL "$pid"
    [ "$tries" -ge 200 ] && return 1
    sleep 0.05
  done
}

case $verb in
'get power') alive && echo power:1 || echo power:0 ;;
'set power') if [ "$value" = 0 ]; then power_off; else power_on; fi ;;
# A fresh QEMU, so that a newly chosen boot device counts, as it does on a reset of real firmware.
'set reset') if alive; then power_off && power_on; fi ;;
'set shutdown') if alive; then echo system_powerdown >"$dir/monitor.in"; fi ;; # the ACPI power button
'get boot') echo "boot:$(boot_device)" ;;
'set boot')
  [ -r "$dir/qemu.$value" ] || exit 1
  echo "$value" >"$dir/boot.new" && mv "$dir/boot.new" "$dir/boot"
  ;;
'set identify') ;;
*) exit 1 ;;
esac
