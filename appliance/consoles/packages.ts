/** Debian packages that peer tests of consoles call. */
export const requiredPackages: string[] = ['openssh-client', 'openssh-server', 'openssl', 'util-linux']
