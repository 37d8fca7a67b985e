import type { Quirk } from '../quirk.ts'

/** MegaRAC by another name, whose InsertMedia doesn't know all of the standard's properties. */
export const inspur: Quirk = {
  name: 'inspur',
  vendor: /^(inspur|ieit|ieisystem)/i,
  boot: { sends: 'all' },
  media: { without: ['Inserted', 'WriteProtected'], with: { TransferProtocolType: 'HTTP' } },
}
