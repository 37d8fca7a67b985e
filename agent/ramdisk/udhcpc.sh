#!/usr/bin/sh
# Called by udhcpc for each event of a lease. `metric` comes from the ramdisk's init; ours is the only default route of its metric.
case $1 in
bound | renew)
  ip -4 addr flush dev "$interface"
  ip -4 addr add "$ip/${mask:-24}" dev "$interface"
  for gateway in $router; do
    ip -4 route replace default via "$gateway" dev "$interface" metric "${metric:-100}"
    break
  done
  if [ "${metric:-100}" -lt 200 ]; then
    : >/etc/resolv.conf
    for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
    [ -n "$hostname" ] && hostname "$hostname"
  fi
  ;;
deconfig)
  ip -4 addr flush dev "$interface"
  ip link set "$interface" up
  ;;
esac
exit 0
