import { z } from 'zod'
import type { OfferedStep } from '../../contract/agent.ts'
import { burnInSettings } from '../burn-in/settings.ts'
import { chooseRootDisk } from '../disks/choose.ts'
import { erasable, eraseEach } from '../disks/erase-many.ts'
import { CommandFailure } from '../failure.ts'
import { filesOfNode, injectArguments } from '../files/wanted.ts'
import type { Machine } from '../machine/machine.ts'
import type { Deployed } from './deployed.ts'
import type { Step } from './steps.ts'

const step = (name: string, argsinfo: OfferedStep['argsinfo'] = null): OfferedStep => ({
  step: name,
  interface: 'deploy',
  priority: 0,
  reboot_requested: false,
  abortable: true,
  argsinfo,
})
const burnIns = ['burnin_cpu', 'burnin_memory', 'burnin_disk', 'burnin_network'].map((name) => step(name))
const cleanBootEntries = step('clean_uefi_nvram', {
  match_patterns: {
    description:
      'Regular expressions; boot entries go whose label or device path one matches. Default: those on disks.',
    required: false,
  },
})
const inject = step('inject_files', {
  files: {
    description: 'Objects with path, content (base64 or URL), partition, deleted, mode, owner, group, dirmode.',
  },
  verify_ca: { description: 'Whether certificates are verified where content is a URL. Default: true.' },
})

export const upkeepCleanSteps = [step('erase_pstore'), cleanBootEntries, ...burnIns]
export const upkeepDeploySteps = [cleanBootEntries, inject]
export const upkeepServiceSteps = [...burnIns, inject]

const patterns = z.looseObject({ match_patterns: z.array(z.string().max(256)).max(64).nullish() })

/** Steps of Ironic's generic hardware manager that are about neither the disks' contents nor the image (reference §6.6). */
export function upkeepSteps(machine: Machine, deployed: Deployed): Record<string, Step> {
  const { upkeep } = machine
  return {
    async inject_files(args, node) {
      const { files, verify_ca: verify } = understood('inject_files', injectArguments, args ?? {})
      const ofNode = understood('properties/inject_files', filesOfNode, node.properties?.['inject_files'] ?? [])
      const all = [...ofNode, ...files]
      if (all.length === 0) return 'there are no files to inject'
      return upkeep.injectFiles(all, deployed.disk ?? chooseRootDisk(await machine.disks(), node), verify)
    },
    clean_uefi_nvram(args) {
      const { match_patterns: given } = understood('clean_uefi_nvram', patterns, args ?? {})
      return upkeep.cleanBootRecords(given?.map(expression))
    },
    erase_pstore: () => upkeep.erasePstore(),
    burnin_cpu(_args, node, { progress }) {
      const { cpus, cpuSeconds } = burnInSettings(node)
      return upkeep.burnProcessors(cpus, cpuSeconds, progress)
    },
    burnin_memory(_args, node, { progress }) {
      const { memoryPercent, memorySeconds } = burnInSettings(node)
      return upkeep.burnMemory(memoryPercent, memorySeconds, progress)
    },
    async burnin_disk(_args, node, { progress }) {
      const { diskLoops: loops, diskSeconds: seconds } = burnInSettings(node)
      const disks = erasable(await machine.disks(), node)
      await eraseEach(disks, disks.length, (disk, done) => upkeep.burnDisk(disk, { loops, seconds }, done), progress)
      return `${disks.length} disks written and read, without an error`
    },
    async burnin_network(_args, node) {
      const { network, networkSeconds: seconds } = burnInSettings(node)
      if (network) return upkeep.burnNetwork({ ...network, seconds })
      throw wrong('burnin_network', 'driver_info/agent_burnin_fio_network_config must have a role and a partner')
    },
  }
}

function understood<T>(what: string, schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw wrong(what, z.prettifyError(parsed.error))
}

function expression(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw wrong('clean_uefi_nvram', `${text} is no regular expression`)
  }
}

function wrong(what: string, why: string): CommandFailure {
  return new CommandFailure('InvalidCommandParamsError', `${what}: ${why}`, { code: 400 })
}
