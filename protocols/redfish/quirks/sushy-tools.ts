import type { Quirk } from '../quirk.ts'

/** The emulator over libvirt: a change of boot mode defines the machine anew, which fails while it runs. */
export const sushyTools: Quirk = { name: 'sushy-tools', vendor: /^sushy/i, boot: { keepsMode: true } }
