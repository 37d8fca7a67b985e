import type { HardwareFacts } from '../../contract/hardware-facts.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { biosKey, type BiosSetting, type FirmwareComponent, firmwareKey } from '../store/components.ts'
import { type Hardware, hardwareKey } from '../store/hardware.ts'
import { type NodeSensors, sensorsKey } from '../store/health.ts'
import { replace } from '../store/replace.ts'
import { storyWrite } from './story.ts'

/** Keeps what a site read out of band: each section replaces what was known of it. */
export async function addHardware(platform: Platform, { uuid }: Node, facts: HardwareFacts): Promise<void> {
  const { boot_mode, secure_boot, raid_config, drift, indicators, virtual_media, bios, firmware, sensors, read_at } =
    facts
  const told: Partial<Node> = {
    ...(boot_mode === undefined ? {} : { boot_mode }),
    ...(secure_boot === undefined ? {} : { secure_boot }),
    ...(raid_config === undefined ? {} : { raid_config }),
  }
  if (Object.keys(told).length > 0) await changeNode(platform, uuid, (node) => ({ node: { ...node, ...told } }))
  if (drift) await changeNode(platform, uuid, (node) => withDrift(platform, node, { read_at, differences: drift }))
  if (indicators ?? virtual_media)
    await replace<Hardware>(platform.table, hardwareKey(uuid), (known) => ({
      indicators: indicators ?? known?.indicators ?? null,
      virtual_media: virtual_media ?? known?.virtual_media ?? null,
    }))
  if (sensors)
    await replace<NodeSensors>(platform.table, sensorsKey(uuid), (known) =>
      known && Date.parse(known.read_at) > Date.parse(read_at) ? known : { read_at, sensors },
    )
  if (bios)
    await replace<BiosSetting[]>(platform.table, biosKey(uuid), (known) =>
      withSettings(known ?? [], facts.read_at, bios),
    )
  if (firmware)
    await replace<FirmwareComponent[]>(platform.table, firmwareKey(uuid), (known) =>
      withComponents(known ?? [], facts.read_at, firmware),
    )
}

interface Drift {
  read_at: string
  differences: string[]
}

/** People are told when what differs is other than before. */
function withDrift({ ids, clock }: Platform, node: Node, drift: Drift): NodeChange {
  const after = { ...node, driver_internal_info: { ...node.driver_internal_info, drift } }
  const known = (node.driver_internal_info['drift'] as Drift | undefined)?.differences ?? []
  if (drift.differences.join('\n') === known.join('\n')) return { node: after }
  const [severity, event] =
    drift.differences.length === 0
      ? (['INFO', 'The machine is as properties/baseline declares it.'] as const)
      : (['ERROR', `The machine differs from properties/baseline: ${drift.differences.join('; ')}.`] as const)
  const circumstances = { id: ids.uuid(), index: 0, at: clock.now().toISOString(), conductor: null }
  return { node: after, writes: [storyWrite(node, { severity, event }, circumstances)] }
}

/** A part joins the others of its reading, in whatever order they come; of an older reading nothing is left, and an older one changes
 * nothing. */
export function withSettings(
  known: readonly BiosSetting[],
  readAt: string,
  found: NonNullable<HardwareFacts['bios']>,
): BiosSetting[] {
  const newest = Math.max(0, ...known.map((each) => Date.parse(each.read_at ?? '') || 0))
  if (newest > Date.parse(readAt)) return [...known]
  const before = new Map(known.map((each) => [each.name, each]))
  const fresh = found.map((setting): BiosSetting => {
    const old = before.get(setting.name)
    const changed = old !== undefined && old.value !== setting.value
    const updated_at = changed ? readAt : (old?.updated_at ?? null)
    return { ...setting, created_at: old?.created_at ?? readAt, updated_at, read_at: readAt }
  })
  const names = new Set(fresh.map(({ name }) => name))
  const others = known.filter((each) => each.read_at === readAt && !names.has(each.name))
  return [...others, ...fresh].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export function withComponents(
  known: readonly FirmwareComponent[],
  readAt: string,
  found: NonNullable<HardwareFacts['firmware']>,
): FirmwareComponent[] {
  return found.map(({ version, ...each }): FirmwareComponent => {
    const old = known.find(({ component }) => component === each.component)
    const changed = old !== undefined && old.current_version !== version
    return {
      ...each,
      initial_version: old?.initial_version ?? version ?? '',
      current_version: version,
      last_version_flashed: changed ? version : (old?.last_version_flashed ?? null),
      created_at: old?.created_at ?? readAt,
      updated_at: changed ? readAt : (old?.updated_at ?? null),
    }
  })
}
