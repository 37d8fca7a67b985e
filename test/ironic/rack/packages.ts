/** Debian packages of the conductor that `npm test` runs; those of the comparison are installed by it. */
export const requiredPackages: string[] = ['busybox-static', 'dnsmasq-base', 'ironic-api', 'ironic-conductor']
