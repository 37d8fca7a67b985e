import type { Quirk } from '../quirk.ts'

/** The override is dropped at a PATCH that leaves out BootSourceOverrideEnabled. */
export const supermicro: Quirk = {
  name: 'supermicro',
  vendor: /^super ?micro/i,
  boot: { sends: 'enabled' },
  consoleEntry: 'start /system1/sol1',
}
