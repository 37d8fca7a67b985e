/** Debian packages by which `bloomery appliance check` looks; without one of them a finding says so. */
export const requiredPackages: string[] = ['ethtool', 'iproute2', 'iputils-ping', 'tcpdump']
