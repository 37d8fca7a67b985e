#!/usr/bin/sh
# A switch with VLANs 20, 30 and 40 in one machine: card site0 is the appliance's, card rack0 that of machines, a hub between them.
export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 4 >/proc/sys/kernel/printk
modprobe -a virtio_pci virtio_net 8021q af_packet
ip link set lo up
for path in /sys/class/net/*; do
  case $(cat "$path/address") in
  52:54:00:97:00:01) ip link set "${path##*/}" name site0 up ;;
  52:54:00:97:00:02) ip link set "${path##*/}" name rack0 up ;;
  esac
done
for vlan in 20 30; do
  ip link add link site0 name site0.$vlan type vlan id $vlan
  ip address add 10.$vlan.0.1/24 dev site0.$vlan
  ip link set site0.$vlan up
done
for vlan in 20 30 40; do
  ip link add link rack0 name rack0.$vlan type vlan id $vlan
  ip link set rack0.$vlan address 52:54:00:97:01:$vlan up
done
node /app/site.mjs | tee /run/site.log &
until grep -q 'SITE UP' /run/site.log 2>/dev/null; do sleep 0.2; done
ask() { udhcpc -i "$1" -s /app/lease.sh -n -q -f -t "$2" -T 2 >/dev/null 2>&1 || echo "CLIENT $1 NONE"; }
asking=
# That who is to get nothing gets nothing counts when the others have got something: the server is there.
for card in rack0.20 rack0.30; do
  ask $card 60 &
  asking="$asking $!"
done
wait $asking
asking=
for card in rack0 rack0.40; do
  ask $card 3 &
  asking="$asking $!"
done
wait $asking
echo 'ALL ASKED'
sleep 600
