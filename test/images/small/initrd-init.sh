#!/bin/sh
# The small image's initrd: drivers, then the root file system by its UUID (bloomery.root=), then init there.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 4 >/proc/sys/kernel/printk

for _ in 1 2 3; do
  find /sys/devices -name modalias -exec cat {} + | sort -u | xargs modprobe -a -b -q
done 2>/dev/null
modprobe -a -q sd_mod sr_mod isofs vfat nls_ascii nls_utf8 nls_cp437 evdev button 2>/dev/null

# As mdadm would: members of an array begin with its superblock (version 1.2, 4 KiB into the device), of which this is the magic.
members=
for path in /sys/class/block/*; do
  magic=$(dd if="/dev/${path##*/}" bs=4096 skip=1 count=1 2>/dev/null | head -c 4 | od -A n -t x1 | tr -d ' ')
  [ "$magic" = fc4e2ba9 ] && members="$members $path"
done
if [ -n "$members" ]; then
  modprobe -q raid1
  echo md0 >/sys/module/md_mod/parameters/new_array
  echo 1.2 >/sys/block/md0/md/metadata_version
  for path in $members; do cat "$path/dev" >/sys/block/md0/md/new_dev; done
  echo active >/sys/block/md0/md/array_state
  # Opened, it shows its partitions.
  : </dev/md0
  echo "BLOOMERY-ARRAY $(cat /sys/block/md0/md/level) missing=$(cat /sys/block/md0/md/degraded)"
fi

for word in $(cat /proc/cmdline); do
  case $word in bloomery.root=*) uuid=${word#*=} ;; esac
done
tries=0
until root=$(findfs "UUID=$uuid" 2>/dev/null); do
  tries=$((tries + 1))
  if [ $tries -gt 100 ]; then
    echo "BLOOMERY-FAILED no disk has the root file system $uuid"
    sync
    poweroff -f
  fi
  sleep 0.2
done
mount -t ext4 "$root" /root && umount /proc /sys && mount --move /dev /root/dev && exec switch_root /root /sbin/init
echo "BLOOMERY-FAILED $root cannot be mounted"
poweroff -f
