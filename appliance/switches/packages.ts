/** Debian packages that peer tests of switches call. */
export const requiredPackages: string[] = ['iproute2', 'openssh-client', 'openssh-server', 'openvswitch-switch']
