#!/bin/sh
echo "BLOOMERY-POWER-BUTTON" >/dev/ttyS0
sync
mount -o remount,ro /
poweroff -f
