/** Debian packages that captures are made with, and read with by their tests. */
export const requiredPackages: string[] = ['iproute2', 'tcpdump', 'tshark']
