/** Debian packages that the peer tests of IPMI call. */
export const requiredPackages: string[] = ['freeipmi-tools', 'ipmitool', 'openipmi']
