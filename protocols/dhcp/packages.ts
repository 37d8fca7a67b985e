/** Debian packages that the peer tests of DHCP call. */
export const requiredPackages: string[] = [
  'busybox-static',
  'dnsmasq-base',
  'iproute2',
  'isc-dhcp-client',
  'isc-dhcp-relay',
  'systemd',
]
