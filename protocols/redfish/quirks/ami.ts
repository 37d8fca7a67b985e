import type { Quirk } from '../quirk.ts'

/** MegaRAC, under its own name or unbranded: what is left out of an override is reset. */
export const ami: Quirk = {
  name: 'ami',
  vendor: /^(ami\b|american megatrends|megarac|redfish_compatible)/i,
  boot: { sends: 'all' },
}
