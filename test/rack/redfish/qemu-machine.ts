import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { type BootOverride, type Machine, type MachineFacts, Refusal } from '@bloomery/redfish/service/machine.ts'
import { httpBootVariables } from '../qemu/http-boot.ts'
import { firmwares } from '../qemu/machine.ts'

const run = promisify(execFile)

/** As large as a ramdisk with its kernel may be, and more. */
const LARGEST = 1024 ** 3
const FETCH_MS = 120_000

/** BootSourceOverrideTarget in the words of chassis.sh. */
const devices: Readonly<Record<string, string>> = {
  None: 'none',
  Pxe: 'pxe',
  Hdd: 'default',
  Cd: 'cdrom',
  UefiHttp: 'http',
}

/** A server of the QEMU rack behind Redfish. `chassis` is the command line that ipmi_sim would call, up to the verb. */
export function qemuMachine([program = '', ...first]: readonly string[], facts: MachineFacts, drive: string): Machine {
  let override: BootOverride = { target: 'None', enabled: 'Disabled', mode: 'UEFI' }
  const chassis = async (...words: string[]): Promise<string> =>
    (await run(program, [...first, ...words])).stdout.trim()
  const isOn = async (): Promise<boolean> => (await chassis('get', 'power')) === 'power:1'
  const set = async (next: BootOverride): Promise<void> => {
    const device = next.enabled === 'Disabled' ? 'none' : devices[next.target]
    if (device === undefined)
      throw new Refusal(400, 'PropertyValueNotInList', [next.target, 'BootSourceOverrideTarget'])
    if (device === 'http') await fetchAtNextStart(drive, next.uri)
    await chassis('set', 'boot', device)
    override = next
  }
  /** QEMU has its boot order from its start on, so that is when a choice for once is used up. */
  const begin = async (...words: string[]): Promise<void> => {
    await chassis('set', ...words)
    if (override.enabled === 'Once') await set({ ...override, target: 'None', enabled: 'Disabled' })
  }
  const reset = async (type: string): Promise<void> => {
    if (type === 'On' || type === 'ForceOn') return (await isOn()) ? undefined : begin('power', '1')
    if (type === 'ForceOff') return void (await chassis('set', 'power', '0'))
    if (type === 'GracefulShutdown') return void (await chassis('set', 'shutdown', '1'))
    if (type !== 'ForceRestart' && type !== 'PowerCycle')
      throw new Refusal(400, 'ActionParameterNotSupported', ['ResetType', type])
    if (!(await isOn())) throw new Refusal(409, 'ResourceInUse')
    return begin('reset', '1')
  }
  // One after the other, as in a BMC: between power off and on there is a moment with no machine at all.
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work)
    queue = turn.catch(() => undefined)
    return turn
  }
  return {
    facts,
    power: () => inTurn(async () => ((await isOn()) ? 'On' : 'Off')),
    reset: (type) => inTurn(() => reset(type)),
    boot: { get: () => Promise.resolve(override), set: (next) => inTurn(() => set(next)) },
    media: (_slot, image) => inTurn(() => fill(drive, image)),
  }
}

/** Firmware reads it from its variables, as a BMC would write it there. */
async function fetchAtNextStart(drive: string, uri: string | undefined): Promise<void> {
  if (uri === undefined || !URL.canParse(uri)) throw new Refusal(400, 'PropertyMissing', ['HttpBootUri'])
  const { blank, variables } = firmwares.http
  await writeFile(join(dirname(drive), variables), httpBootVariables(await readFile(blank), uri))
}

/** What is in the drive when QEMU starts; real BMCs fetch as the machine reads, this one all at once. */
async function fill(drive: string, image: string | undefined): Promise<void> {
  if (image === undefined) return writeFile(drive, '')
  const reply = await fetch(image, { signal: AbortSignal.timeout(FETCH_MS) })
  if (!reply.ok || !reply.body) throw new Refusal(400, 'ActionParameterValueError', ['Image', 'InsertMedia'])
  let size = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done(size > LARGEST ? new RangeError(`an image of more than ${LARGEST} bytes`) : null, chunk)
    },
  })
  await pipeline(Readable.fromWeb(reply.body), bounded, createWriteStream(`${drive}.new`))
  await rename(`${drive}.new`, drive)
}
