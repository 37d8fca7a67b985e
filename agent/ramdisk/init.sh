#!/usr/bin/sh
# PID 1 of the deploy ramdisk: file systems, drivers, network, then the agent for ever.
# Kernel parameters: BOOTIF=01-<mac> (the card that booted), bloomery.dhcp-timeout=<s>, bloomery.agent-failures=<n>.
export PATH=/usr/sbin:/usr/bin HOME=/root
given_network=/etc/bloomery/network

say() {
  read -r up _ </proc/uptime
  echo "ramdisk [$up]: $*"
}

restart_machine() {
  say "$1; restarting the machine in 10 s"
  sleep 10
  sync
  reboot -f
}

parameter() {
  for word in $(cat /proc/cmdline); do
    case $word in "$1="*) value=${word#*=} && echo "$value" && return ;; esac
  done
  echo "$2"
}

# A number from the kernel's command line; anything else counts as the default.
number() {
  value=$(parameter "$1" "$2")
  case $value in '' | *[!0-9]*) value=$2 ;; esac
  echo "$value"
}

mount_all() {
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mount -t devtmpfs dev /dev
  mkdir -p /dev/pts /dev/shm /run
  mount -t devpts devpts /dev/pts
  mount -t tmpfs -o mode=1777 shm /dev/shm
  mount -t tmpfs -o mode=0755 run /run
}

# Each bus that a driver brings shows devices of its own (virtio over PCI, SCSI over a controller): again until nothing new loads.
load_drivers() {
  loaded=-1
  while [ "$loaded" -ne "$(wc -l </proc/modules)" ]; do
    loaded=$(wc -l </proc/modules)
    find /sys/devices -name modalias -exec cat {} + | sort -u | xargs modprobe -a -b -q
  done 2>/dev/null
  modprobe -a -b -q sd_mod sr_mod loop
  if [ -d /sys/firmware/efi ]; then
    modprobe -q efivarfs
    mount -t efivarfs efivarfs /sys/firmware/efi/efivars || say "no EFI variables: boot entries cannot be changed"
  fi
}

# Ethernet cards (ARPHRD_ETHER with a device behind them), the one that booted first.
cards() {
  boot=$(parameter BOOTIF '' | tr 'A-F-' 'a-f:')
  others=
  for path in /sys/class/net/*; do
    [ -e "$path/device" ] && [ "$(cat "$path/type")" = 1 ] || continue
    if [ "01:$(cat "$path/address")" = "$boot" ]; then echo "${path##*/}"; else others="$others ${path##*/}"; fi
  done
  for card in $others; do echo "$card"; done
}

# udhcpc goes on in the background after the first lease and renews it: a deploy may outlast a lease.
lease() {
  metric=$2 udhcpc -i "$1" -s /usr/share/udhcpc/script -n -t 4 -T 3 -S
}

card_of() {
  for path in /sys/class/net/*; do
    [ "$(cat "$path/address")" = "$1" ] && [ -e "$path/device" ] && echo "${path##*/}" && return
  done
  return 1
}

# A card by its address, a bond or VLAN by its name.
device_of() {
  case $1 in
  *:*) card_of "$1" ;;
  *) [ -e "/sys/class/net/$1" ] && echo "$1" ;;
  esac
}

# bond NAME MODE MIIMON MAC...: a card joins only while it is down, and has the bond's address from then on.
make_bond() {
  bond=$1 mode=$2 miimon=$3
  modprobe -q bonding max_bonds=0
  [ -e "/sys/class/net/$bond" ] || echo "+$bond" >/sys/class/net/bonding_masters || return 1
  shift 3
  slaves=/sys/class/net/$bond/bonding/slaves
  for mac in "$@"; do
    grep -qF " $mac " "/run/$bond.cards" 2>/dev/null && continue
    card=$(card_of "$mac") || return 1
    if [ -z "$(cat "$slaves")" ]; then
      ip link set "$bond" down
      echo "$mode" >"/sys/class/net/$bond/bonding/mode" || return 1
      echo "$miimon" >"/sys/class/net/$bond/bonding/miimon"
    fi
    ip link set "$card" down
    echo "+$card" >"$slaves" || return 1
    echo " $mac " >>"/run/$bond.cards"
  done
  ip link set "$bond" up
}

make_vlan() {
  modprobe -q 8021q
  parent=$(device_of "$3") || return 1
  ip link set "$parent" up
  [ -e "/sys/class/net/$1" ] || ip link add link "$parent" name "$1" type vlan id "$2" || return 1
}

# The addresses that came with the boot medium, line by line; fails while a card is missing. Twice is once.
static_network() {
  : >/etc/resolv.conf
  while read -r what device to gateway; do
    # Words of a line: fewer or more for bonds and VLANs.
    case $what in
    dns) echo "nameserver $device" >>/etc/resolv.conf && continue ;;
    bond) make_bond "$device" "$to" $gateway && continue || return 1 ;;
    vlan) make_vlan "$device" "$to" "$gateway" && continue || return 1 ;;
    esac
    card=$(device_of "$device") || return 1
    case $to in *:*) family=-6 ;; *) family=-4 ;; esac
    case $what in
    address)
      ip link set "$card" up
      ip $family addr show dev "$card" | grep -qF " $to " || ip $family addr add "$to" dev "$card" || return 1
      say "network: $card $(cat "/sys/class/net/$card/address") has $to, of the boot medium"
      ;;
    route) ip $family route replace "$to" via "$gateway" dev "$card" || return 1 ;;
    esac
  done <"$given_network"
}

bring_up_network() {
  patience=$(number bloomery.dhcp-timeout 300)
  read -r started _ </proc/uptime
  started=${started%.*}
  while [ -s "$given_network" ]; do
    static_network && return
    say "network: the boot medium's addresses can't be set yet"
    read -r now _ </proc/uptime
    [ $((${now%.*} - started)) -lt "$patience" ] || restart_machine "the boot medium's addresses can't be set"
    sleep 1
    load_drivers
  done
  while :; do
    metric=100
    for card in $(cards); do
      ip link set "$card" up
      if lease "$card" $metric; then
        say "network: $card $(cat "/sys/class/net/$card/address") has $(ip -4 -o addr show "$card" | awk '{print $4}')"
        lease_others "$card" &
        return
      fi
      say "network: no DHCP answer on $card $(cat "/sys/class/net/$card/address")"
      metric=$((metric + 1))
    done
    read -r now _ </proc/uptime
    [ $((${now%.*} - started)) -lt "$patience" ] || restart_machine "no lease on any card ($(cards | xargs)) in $patience s"
    sleep 1
    load_drivers
  done
}

# The other cards are tried once, with worse routes, so that they never take traffic from the one that booted.
lease_others() {
  metric=200
  for card in $(cards); do
    [ "$card" = "$1" ] && continue
    ip link set "$card" up
    lease "$card" $metric >/dev/null 2>&1
    metric=$((metric + 1))
  done
}

# At least four, which is what Node has by itself.
threads() {
  count=$(nproc)
  [ "$count" -gt 4 ] || count=4
  echo "$count"
}

run_agent() {
  limit=$(number bloomery.agent-failures 10)
  failures=0
  pause=1
  while :; do
    read -r begun _ </proc/uptime
    say "starting the agent"
    # Images are unpacked and verified on as many threads as there are cores.
    UV_THREADPOOL_SIZE=$(threads) node /usr/lib/bloomery/agent.mjs
    code=$?
    read -r ended _ </proc/uptime
    # An agent that worked for ten minutes failed on something new: count from one again.
    [ $((${ended%.*} - ${begun%.*})) -gt 600 ] && failures=0 && pause=1
    failures=$((failures + 1))
    [ "$failures" -lt "$limit" ] || restart_machine "the agent ended $failures times, last with code $code"
    say "the agent ended with code $code ($failures of $limit); again in $pause s"
    sleep $pause
    pause=$((pause * 2))
    [ $pause -gt 30 ] && pause=30
  done
}

mount_all
say "up: $(uname -r), $(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) MiB, $(nproc) CPUs"
echo 4 >/proc/sys/kernel/printk
hostname bloomery-ramdisk
ip link set lo up
load_drivers
say "cards: $(cards | xargs); disks: $(ls /sys/class/block | grep -Ev '^(loop|sr|ram)' | xargs)"
bring_up_network
run_agent
