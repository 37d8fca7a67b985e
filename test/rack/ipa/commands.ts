import { createHash } from 'node:crypto'
import type { PaperMachine } from '../paper/machine.ts'

type Params = Record<string, unknown>

/** As ironic-python-agent has them: an asynchronous command is answered at once and goes on. */
export interface IpaCommand {
  asynchronous: boolean
  /** Its keyword parameters; `…` takes all others too. Another one is a TypeError. */
  takes: readonly string[]
  run(params: Params): Promise<unknown>
}

/** An error as its errors.py names it. */
export class IpaError extends Error {
  readonly type: string
  readonly code: number
  constructor(type: string, code: number, message: string) {
    super(message)
    this.type = type
    this.code = code
  }
}

const MANAGER = 'GenericHardwareManager'
const versions = { [MANAGER]: '1.2' }
const offered = (step: string, priority: number) => ({
  step,
  priority,
  interface: 'deploy',
  reboot_requested: false,
  abortable: true,
})
const cleanSteps = [offered('erase_devices', 10), offered('erase_devices_metadata', 99), offered('burnin_cpu', 0)]
const deploySteps = [offered('write_image', 0), offered('erase_devices_metadata', 0)]

/** What its extensions do, to a machine of paper. `slowly` takes the time that disks take. */
export function ipaCommands(
  machine: PaperMachine,
  slowly: (ms: number) => Promise<void>,
): Record<string, Record<string, IpaCommand>> {
  const sync = (takes: string[], run: IpaCommand['run']): IpaCommand => ({ asynchronous: false, takes, run })
  const background = (takes: string[], run: IpaCommand['run']): IpaCommand => ({ asynchronous: true, takes, run })
  const ownSteps = () => Object.keys(machine.ownSteps).map((name) => offered(name, 0))
  return {
    clean: {
      get_clean_steps: sync(['node', 'ports'], async () => ({
        clean_steps: { [MANAGER]: cleanSteps },
        hardware_manager_version: versions,
      })),
      execute_clean_step: background(
        ['step', 'node', 'ports', 'clean_version', '…'],
        async ({ step, clean_version }) => {
          const wanted = stepIn(step, cleanSteps, 'clean_step')
          if (clean_version && JSON.stringify(clean_version) !== JSON.stringify(versions))
            throw new IpaError(
              'VersionMismatch',
              500,
              'Hardware managers version mismatch, reload agent with correct version',
            )
          await slowly(2000)
          if (wanted.step.startsWith('erase')) Object.assign(machine.disk, { image: undefined, configDrive: undefined })
          return { clean_result: null, clean_step: step }
        },
      ),
    },
    deploy: {
      get_deploy_steps: sync(['node', 'ports'], async () => ({
        deploy_steps: { [MANAGER]: deploySteps, OthersHardwareManager: ownSteps() },
        hardware_manager_version: versions,
      })),
      execute_deploy_step: background(['step', 'node', 'ports', 'deploy_version', '…'], async ({ step, node }) => {
        const wanted = stepIn(step, [...deploySteps, ...ownSteps()], 'deploy_step')
        if (typeof (node as Params)['uuid'] !== 'string') throw new IpaError('KeyError', 500, "'uuid'")
        const own = machine.ownSteps[wanted.step]
        if (own) {
          await slowly(5000)
          return { deploy_result: own(wanted.args ?? {}, node as Params), deploy_step: step }
        }
        const written = await writeImage(machine, wanted.args ?? {}, slowly)
        return { deploy_result: written, deploy_step: step }
      }),
    },
    service: {
      get_service_steps: sync(['node', 'ports'], async () => ({
        service_steps: { OthersHardwareManager: ownSteps() },
        hardware_manager_version: versions,
      })),
      execute_service_step: background(['step', 'node', 'ports', 'service_version', '…'], async ({ step, node }) => {
        const wanted = stepIn(step, ownSteps(), 'service_step')
        await slowly(5000)
        return { service_result: machine.ownSteps[wanted.step]!(wanted.args ?? {}, node as Params), service_step: step }
      }),
    },
    standby: {
      sync: sync([], async () => undefined),
      power_off: background([], async () => {
        await slowly(1000)
        machine.off()
      }),
      get_partition_uuids: sync([], async () => ({
        'root uuid': null,
        'efi system partition uuid': null,
        partitions: {},
      })),
    },
    image: {
      install_bootloader: background(
        ['root_uuid', 'efi_system_part_uuid', 'prep_boot_part_uuid', 'target_boot_mode', 'ignore_bootloader_failure'],
        async (params) => {
          if (!('root_uuid' in params)) throw new TypeError("missing 1 required positional argument: 'root_uuid'")
          await slowly(1000)
        },
      ),
    },
    rescue: {
      finalize_rescue: sync(['rescue_password', 'hashed'], async ({ rescue_password: password }) => {
        machine.rescuePassword = String(password)
      }),
    },
    log: { collect_system_logs: sync([], async () => ({ system_logs: Buffer.from('journal').toString('base64') })) },
    system: { lockdown: sync([], async () => undefined) },
  }
}

interface StepGiven {
  step: string
  interface: string
  args?: Params
}

function stepIn(given: unknown, known: readonly { step: string; interface: string }[], what: string): StepGiven {
  const step = given as Partial<StepGiven> | undefined
  if (step?.step === undefined)
    throw new IpaError('InvalidCommandParamsError', 400, `Malformed ${what}, no "step" key: ${JSON.stringify(given)}`)
  if (!known.some((each) => each.step === step.step && each.interface === step.interface))
    throw new IpaError('IncompatibleHardwareMethodError', 500, `no hardware manager supports ${step.step}`)
  return step as StepGiven
}

/** `_validate_image_info`, then the download, hashed while it is written. */
async function writeImage(machine: PaperMachine, args: Params, slowly: (ms: number) => Promise<void>): Promise<string> {
  const { image_info: given, configdrive, ...others } = args
  if (Object.keys(others).length > 0) throw new TypeError(`unexpected keyword argument '${Object.keys(others)[0]}'`)
  const info = (given ?? {}) as Record<string, string> & { urls?: unknown }
  for (const field of ['id', 'urls'])
    if (!(field in info)) throw new IpaError('InvalidCommandParamsError', 400, `Image is missing '${field}' field.`)
  if (!Array.isArray(info.urls) || info.urls.length === 0)
    throw new IpaError('InvalidCommandParamsError', 400, "Image 'urls' must be a list with at least one element.")
  const { os_hash_algo: algorithm, os_hash_value: expected, disk_format: format } = info
  if (!algorithm || !expected) throw new IpaError('InvalidCommandParamsError', 400, 'Image checksum is not specified')
  if (!['raw', 'qcow2', 'gpt', 'iso'].includes(format ?? ''))
    throw new IpaError('InvalidImage', 400, `disk_format ${format} is not permitted`)
  machine.writing = true
  machine.disk.image = 'half-written'
  try {
    const image = await download(String(info.urls[0]), slowly)
    if (machine.diskFault !== undefined) throw new IpaError('ImageWriteError', 500, machine.diskFault)
    const actual = createHash(algorithm).update(image).digest('hex')
    await slowly(30_000)
    if (actual !== expected)
      throw new IpaError(
        'ImageChecksumError',
        500,
        `Image failed to verify against checksum. image checksum: ${expected}; verification checksum: ${actual}`,
      )
    machine.disk.image = actual
    machine.disk.configDrive = (configdrive as string | null) ?? undefined
    return `image (${info['id']}) written to device /dev/sda root_uuid=None`
  } finally {
    machine.writing = false
  }
}

/** `image_download_connection_retries` and `_retry_interval`. */
async function download(url: string, slowly: (ms: number) => Promise<void>): Promise<Buffer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const reply = await fetch(url)
      if (reply.ok) return Buffer.from(await reply.arrayBuffer())
      throw new Error(`Received status code ${reply.status} from ${url}`)
    } catch (error) {
      if (attempt > 9) throw new IpaError('ImageDownloadError', 500, (error as Error).message)
      await slowly(10_000)
    }
  }
}
