import type { Quirk } from '../quirk.ts'

/** iLO. iLO 4 inserts media by an action of its own; boot mode is a BIOS attribute. */
export const hpe: Quirk = {
  name: 'hpe',
  vendor: /^(hpe?|hpe? .*|hewlett.packard.*)$/i,
  boot: { keepsMode: true },
  bootMode: { attribute: 'BootMode', UEFI: 'Uefi', Legacy: 'LegacyBios' },
  media: {
    oem: {
      insert: ['Oem', 'Hp', 'Actions', '#HpiLOVirtualMedia.InsertVirtualMedia'],
      eject: ['Oem', 'Hp', 'Actions', '#HpiLOVirtualMedia.EjectVirtualMedia'],
    },
  },
  consoleEntry: 'vsp',
}
