import type { Quirk } from '../quirk.ts'

/** BlueField: the system itself is read-only, changes go to its settings resource. */
export const nvidia: Quirk = { name: 'nvidia', vendor: /^(nvidia|bluefield)/i, boot: { pending: true } }
