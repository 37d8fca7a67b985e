import type { Quirk } from '../quirk.ts'

/** MegaRAC that takes an override for the next start only. */
export const gigabyte: Quirk = {
  name: 'gigabyte',
  vendor: /^giga ?(byte|computing)/i,
  boot: { sends: 'all', onceOnly: true },
}
