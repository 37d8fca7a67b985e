import type { Quirk } from '../quirk.ts'
import { ami } from './ami.ts'
import { asrockrack } from './asrockrack.ts'
import { cisco } from './cisco.ts'
import { dell } from './dell.ts'
import { fujitsu } from './fujitsu.ts'
import { gigabyte } from './gigabyte.ts'
import { hpe } from './hpe.ts'
import { huawei } from './huawei.ts'
import { inspur } from './inspur.ts'
import { lenovo } from './lenovo.ts'
import { nvidia } from './nvidia.ts'
import { openbmc } from './openbmc.ts'
import { supermicro } from './supermicro.ts'
import { sushyTools } from './sushy-tools.ts'

/** The first that fits counts, so those that sell another's firmware under their own name come before its maker. */
export const quirks: readonly Quirk[] = [
  asrockrack,
  gigabyte,
  inspur,
  dell,
  hpe,
  supermicro,
  lenovo,
  cisco,
  fujitsu,
  huawei,
  nvidia,
  sushyTools,
  openbmc,
  ami,
]
