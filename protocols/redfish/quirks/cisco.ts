import type { Quirk } from '../quirk.ts'

/** CIMC. Its slots are DVD, and those of the viewer refuse InsertMedia with 400 or 405; both are dealt with for everybody. */
export const cisco: Quirk = { name: 'cisco', vendor: /^cisco/i }
