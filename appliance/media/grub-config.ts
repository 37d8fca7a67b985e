/** GRUB runs what it reads, so each kernel argument stands in single quotes, within which nothing has a meaning (GRUB manual, "Quoting"). */
export function grubConfig(node: string, cmdline: string): string {
  if (!/^[\x20-\x7e]*$/.test(cmdline) || cmdline.includes("'"))
    throw new RangeError(`kernel arguments of node ${node} can't be told to GRUB: printable ASCII without ' only`)
  const words = cmdline.split(' ').filter((word) => word !== '')
  return `set timeout=0
echo 'Node ${node}, from virtual media'
if linux /boot/kernel ${words.map((word) => `'${word}'`).join(' ')}; then
  if initrd /boot/initrd /boot/config.cpio; then
    boot
  fi
fi
echo 'This boot failed; restarting in 10 s'
sleep 10
reboot
`
}
