import type { Quirk } from '../quirk.ts'

/** iDRAC. After a power-off it refuses `On` with 409 until the host is really down; boot mode is a BIOS attribute. */
export const dell: Quirk = {
  name: 'dell',
  vendor: /^dell\b/i,
  boot: { keepsMode: true },
  bootMode: { attribute: 'BootMode', UEFI: 'Uefi', Legacy: 'Bios' },
  onConflict: { tries: 6, everyMs: 10_000 },
  consoleEntry: 'console com2',
}
