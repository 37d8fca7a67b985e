import type { NodeParam } from '../../contract/agent.ts'
import { raidConfig } from '../../contract/raid.ts'
import { CommandFailure } from '../failure.ts'
import { arrayName } from '../raid/wanted.ts'
import { GiB, type Disk } from './disk.ts'
import { readHints } from './hints.ts'

/** Smaller ones are USB sticks and firmware's own; such a disk is only taken when hints name it. */
const tooSmall = 4 * GiB

/** The disk that the image belongs on: by hints, of the instance before those of the node, else the smallest. */
export function chooseRootDisk(disks: readonly Disk[], node: NodeParam): Disk {
  const hints = node.instance_info?.root_device ?? node.properties?.root_device
  if (isGiven(hints)) {
    const tests = readHints(hints)
    const match = disks.find((disk) => tests.every((test) => test(disk)))
    if (match) return match
    throw notFound(`no disk matches the root device hints ${JSON.stringify(hints)}`, disks)
  }
  const root = rootVolume(disks, node)
  if (root) return root
  const [smallest] = disks.filter(({ size }) => size > tooSmall).toSorted((a, b) => a.size - b.size)
  if (smallest) return smallest
  throw notFound('no disk is larger than 4 GiB; name a smaller one by the root_device hints of the node', disks)
}

/** The array that target_raid_config says is for the system, else its first: there firmware finds a loader. */
function rootVolume(disks: readonly Disk[], node: NodeParam): Disk | undefined {
  const parsed = raidConfig.safeParse(node['target_raid_config'])
  const logical = parsed.data && 'logical_disks' in parsed.data ? parsed.data.logical_disks : []
  const marked = logical.findIndex(({ is_root_volume: isRoot }) => isRoot)
  const index = Math.max(0, marked)
  const name = logical[index] && arrayName(logical[index], index)
  return disks.find(({ members, volume_name }) => members !== undefined && volume_name === name)
}

function isGiven(hints: unknown): boolean {
  if (hints === null || hints === undefined) return false
  return typeof hints !== 'object' || Object.keys(hints).length > 0
}

function notFound(why: string, disks: readonly Disk[]): CommandFailure {
  const seen = disks.map(
    ({ name, size, serial }) => `${name} (${(size / GiB).toFixed(1)} GiB, ${serial ?? 'no serial'})`,
  )
  return new CommandFailure('DeviceNotFound', `${why}; disks seen: ${seen.join(', ') || 'none'}`, { code: 404 })
}
