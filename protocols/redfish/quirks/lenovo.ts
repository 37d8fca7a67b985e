import type { Quirk } from '../quirk.ts'

/** XCC. Of its slots those named EXT fetch a URL; the others are for files uploaded to it and for its viewer. */
export const lenovo: Quirk = {
  name: 'lenovo',
  vendor: /^lenovo/i,
  media: { slots: /^EXT\d/, useless: /^(RDOC|Remote)/ },
  consoleEntry: 'console 1',
}
