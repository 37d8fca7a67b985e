#!/usr/bin/sh
[ "$1" = bound ] && echo "CLIENT $interface $ip/$mask of $serverid" >/dev/console
exit 0
