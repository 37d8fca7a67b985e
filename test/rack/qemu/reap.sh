#!/bin/sh
# Takes a rack down: ends every process in the namespaces PREFIX-*, then deletes them. usage: reap.sh PREFIX
# It acts when its standard input closes. The rack's owner holds the other end, so whatever becomes of the owner
# (a clean stop, Ctrl-C, an uncaught error, SIGKILL) the rack goes too.
trap '' INT TERM HUP
cat >/dev/null

namespaces() { ip netns list | cut -d' ' -f1 | grep "^$1-[a-z0-9-]*\$"; }
processes() { for netns in $(namespaces "$1"); do ip netns pids "$netns"; done; }

for signal in TERM KILL; do
  pids=$(processes "$1")
  [ -n "$pids" ] && kill -s "$signal" $pids 2>/dev/null
  tries=0
  while [ -n "$(processes "$1")" ] && [ "$tries" -lt 30 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
done
for netns in $(namespaces "$1"); do
  ip netns delete "$netns" 2>/dev/null # another reaper may be at the same orphan
done
[ -z "$(namespaces "$1")" ]
