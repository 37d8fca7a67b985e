import type { Quirk } from '../quirk.ts'

/** Slots without InsertMedia are for browsers ("proxy mode"); the others only stream. */
export const openbmc: Quirk = { name: 'openbmc', vendor: /^openbmc/i, media: { with: { TransferMethod: 'Stream' } } }
