import type { Redfish } from '@bloomery/redfish/client.ts'
import { readFirmware } from '@bloomery/redfish/firmware.ts'
import { HardwareError } from '../hardware-error.ts'

/** Paths in the firmware inventory of what people call `bios`, `bmc` or `nic:<id>`. None: the BMC sees by the image what it is for. */
export async function firmwareTargets(bmc: Redfish, component: string): Promise<string[]> {
  const found = await readFirmware(bmc)
  const wanted = component.toLowerCase()
  const [kind = '', id = ''] = wanted.split(':')
  if (!['bios', 'bmc', 'nic'].includes(kind))
    throw new HardwareError(`firmware component ${component} is none of bios, bmc, nic:<id>`)
  const word = kind === 'nic' ? id : kind
  return found
    .filter((each) => each.updateable !== false && [each.id, each.name].some((name) => hasWord(name, word)))
    .map(({ path }) => path)
}

function hasWord(text: string | undefined, word: string): boolean {
  return (text ?? '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .includes(word)
}
