/** Debian packages that must be installed where a ramdisk is built. */
export const requiredPackages: string[] = ['apt', 'binutils', 'dpkg', 'kmod']
