import { z } from 'zod'
import { HardwareError } from '../hardware-error.ts'
import type { SwitchDoor } from './config.ts'
import { commandBySsh } from './ssh-command.ts'
import type { Switch, Vlans } from './switch.ts'

/** OVSDB's JSON of a column: a value, or a set of none (RFC 7047 §5.1). */
const shown = z.object({ data: z.array(z.tuple([z.unknown(), z.unknown(), z.unknown()])).length(1) })
/** It goes through a shell there. */
const NAME = /^[A-Za-z0-9][\w./:-]{0,63}$/

/** A switch that runs Open vSwitch, such as those of PicOS and DENT, by its own command: ports are records, VLANs their `tag` and `trunks`. */
export function openVswitch(config: SwitchDoor): Switch {
  const ask = (command: string, signal: AbortSignal): Promise<string> =>
    commandBySsh(config, `ovs-vsctl --timeout=60 ${command}`, signal)
  const vlansOf: Switch['vlansOf'] = async (port, signal) => {
    const text = await ask(`--format=json --columns=tag,trunks,vlan_mode list Port ${named(config, port)}`, signal)
    return vlansIn(config, text)
  }
  return {
    vlansOf,
    async setVlans(port, vlans, signal) {
      await ask(setting(`Port ${named(config, port)}`, vlans), signal)
      const now = await vlansOf(port, signal)
      if (vlansText(now) !== vlansText(vlans))
        throw new HardwareError(
          `switch ${config.name}, port ${port}: it was given ${vlansText(vlans)}, and says that it has ${vlansText(now)}: does something else configure this switch?`,
        )
    },
  }
}

/** In one transaction of OVSDB. */
function setting(record: string, { vlan, tagged }: Vlans): string {
  if (vlan === null) return ['tag', 'trunks', 'vlan_mode'].map((column) => `clear ${record} ${column}`).join(' -- ')
  if (tagged.length === 0) return `clear ${record} trunks -- set ${record} vlan_mode=access tag=${vlan}`
  return `set ${record} vlan_mode=native-untagged tag=${vlan} trunks=${tagged.join(',')}`
}

/** A port with a tag and no mode is an access port; the native VLAN of a trunk may be among those with tags: ovs-vswitchd.conf.db(5). */
function vlansIn(config: SwitchDoor, text: string): Vlans {
  const [tag, trunks, mode] = read(config, text)
  if (typeof tag !== 'number') return { vlan: null, tagged: [] }
  if (typeof mode !== 'string' || mode === 'access') return { vlan: tag, tagged: [] }
  if (mode !== 'native-untagged') return { vlan: null, tagged: [] }
  const tags = setOf(trunks)
  return { vlan: tag, tagged: tags.filter((each) => each !== tag).sort((a, b) => a - b) }
}

/** One is written as itself, none or several as a set. */
function setOf(value: unknown): number[] {
  const members: unknown[] = Array.isArray(value) && value[0] === 'set' && Array.isArray(value[1]) ? value[1] : [value]
  return members.filter((each) => typeof each === 'number')
}

export function vlansText({ vlan, tagged }: Vlans): string {
  if (vlan === null) return 'no VLAN'
  return tagged.length === 0
    ? `VLAN ${vlan}`
    : `VLAN ${vlan} and, with tags, ${tagged.toSorted((a, b) => a - b).join(', ')}`
}

function named({ name }: SwitchDoor, port: string): string {
  if (!NAME.test(port))
    throw new HardwareError(
      `switch ${name}: ${JSON.stringify(port.slice(0, 64))} is no name of a port; correct local_link_connection/port_id`,
    )
  return port
}

function read({ name }: SwitchDoor, text: string): [unknown, unknown, unknown] {
  try {
    const [row] = shown.parse(JSON.parse(text)).data
    if (row) return row
  } catch {
    // said below
  }
  throw new HardwareError(`switch ${name}: its answer is not Open vSwitch's: ${JSON.stringify(text.slice(0, 100))}`)
}
