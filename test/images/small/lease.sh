#!/bin/sh
case $1 in
bound | renew)
  ip -4 addr flush dev "$interface"
  ip -4 addr add "$ip/${mask:-24}" dev "$interface"
  [ -n "$router" ] && ip -4 route replace default via "${router%% *}" dev "$interface"
  ;;
esac
exit 0
