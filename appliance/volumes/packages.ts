/** Debian packages: the iSCSI target that volumes are had from, and the initiator of the peer tests. */
export const requiredPackages: string[] = ['coreutils', 'libiscsi-bin', 'qemu-block-extra', 'qemu-utils', 'tgt']
