/** Debian packages that the peer tests of DHCP call. */
export const requiredPackages: string[] = ['dnsmasq-base', 'iproute2', 'isc-dhcp-client', 'isc-dhcp-relay']
