import type { Quirk } from '../quirk.ts'

/** MegaRAC that also insists on If-Match, and tells weak ETags that it then refuses. */
export const asrockrack: Quirk = { name: 'asrockrack', vendor: /^asrock/i, boot: { sends: 'all' } }
