import type { Quirk } from '../quirk.ts'

/** iBMC, also as xFusion: media are connected by an action of its own. */
export const huawei: Quirk = {
  name: 'huawei',
  vendor: /^(huawei|xfusion)/i,
  boot: { sends: 'all' },
  media: {
    oem: {
      insert: ['Oem', 'Huawei', 'Actions', '#VirtualMedia.VmmControl'],
      eject: ['Oem', 'Huawei', 'Actions', '#VirtualMedia.VmmControl'],
      insertBody: { VmmControlType: 'Connect' },
      ejectBody: { VmmControlType: 'Disconnect' },
    },
  },
}
