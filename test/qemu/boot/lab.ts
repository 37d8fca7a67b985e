import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { peerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { cleanStale, startReaper } from '../../rack/qemu/reaper.ts'
import { waitForSerial } from '../../rack/qemu/serial.ts'
import { labNames, layCables, type Way } from './cables.ts'
import { type Asking, blankVariables, type FirmwareName, isArm, qemuArgv } from './firmware.ts'
import { enrolAuthority } from './authority.ts'
import { tinyRamdisk } from './ramdisk.ts'
import type { SiteOptions } from './site.ts'
import { writeEnvironment } from './u-boot.ts'
import { variableStore } from './variables.ts'

const MAC = '52:54:00:97:00:01'
/** What U-Boot for QEMU takes for its own, whatever the card says. */
const U_BOOT_MAC = '52:52:52:52:52:52'
const START_MS = 90_000
/** Racks of the same process are counted from 1. */
const FIRST = 1_000
let labs = 0

/** One machine with real firmware and the boot services, each in a namespace of its own. */
export interface BootLab extends AsyncDisposable {
  says(pattern: RegExp, timeoutMs: number): Promise<string>
  /** The log lines of the boot services so far. */
  log: Record<string, string>[]
}

export interface BootLabOptions {
  kernel: string
  firmware: FirmwareName
  asking: Asking
  way?: Way
  /** Of the machine's processor, for a ramdisk that only says that it is up. */
  busybox?: string
  /** Instead of that ramdisk. */
  initrd?: string
  /** Instead of Debian's. */
  loaders?: Record<string, string>
  /** What firmware knows to be revoked: shim's variable SbatLevel. */
  sbatLevel?: string
}

/** How it has ended, with what it said last; undefined while it runs. */
function endOf(child: ChildProcess): () => string | undefined {
  let said = ''
  child.stderr?.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-1_000)))
  return () => {
    const end = child.exitCode ?? child.signalCode
    return end === null ? undefined : `${child.spawnargs[4]} ended with ${end}: ${said}`
  }
}

/** Folders of processes that were killed. */
async function removeStale(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = /^boot-lab-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      await rm(join(tmpdir(), name), { recursive: true, force: true })
  }
}

export async function startBootLab(options: BootLabOptions): Promise<BootLab> {
  const { kernel, firmware, asking, way = 'cable', busybox = '/bin/busybox', initrd, loaders = {} } = options
  const mac = firmware === 'uboot' ? U_BOOT_MAC : MAC
  await cleanStale()
  labs += 1
  const prefix = `bl${process.pid}x${FIRST + labs}`
  await removeStale()
  const dir = await mkdtemp(join(tmpdir(), `boot-lab-${process.pid}-`))
  const names = labNames(prefix)
  const reap = startReaper(prefix)
  const network = peerNetwork([names.site, names.rack, names.between])
  const dispose = async (): Promise<void> => {
    await network.stop()
    await reap()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await copyFile(kernel, join(dir, 'kernel'))
    if (initrd === undefined) await writeFile(join(dir, 'initrd'), await tinyRamdisk(busybox))
    else await copyFile(initrd, join(dir, 'initrd'))
    await writeFile(join(dir, 'serial.log'), '')
    const helpers = layCables(network, names, way)
    const site: SiteOptions = {
      dir,
      mac,
      arch: isArm(firmware) ? 'aarch64' : 'x86_64',
      secureBoot: firmware.endsWith('-secure'),
      ipv6: asking.endsWith('6'),
      https: asking === 'https4' ? enrolAuthority(dir) : undefined,
      way,
      loaders,
    }
    const log: Record<string, string>[] = []
    const services = { up: false }
    const argv = [process.execPath, join(import.meta.dirname, 'site.ts'), JSON.stringify(site)]
    const ends = helpers.map(endOf)
    ends.push(
      endOf(
        network.run(names.site, argv, (line) => {
          if ('up' in line) services.up = true
          else log.push(line)
        }),
      ),
    )
    const ended = (): string | undefined => ends.map((end) => end()).find((end) => end !== undefined)
    for (let waited = 0; !services.up; waited += 100) {
      const end = ended()
      if (end !== undefined || waited > START_MS) throw new Error(`the boot services did not start: ${end ?? 'late'}`)
      await sleep(100)
    }
    const variables = blankVariables[firmware]
    if (variables !== undefined)
      await writeFile(join(dir, 'variables.fd'), await variableStore(variables, options.sbatLevel))
    if (asking === 'pxelinux')
      await writeEnvironment(join(dir, 'variables.fd'), 'setenv autoload no; dhcp; pxe get; pxe boot')
    ends.push(endOf(network.run(names.rack, qemuArgv({ dir, mac, firmware, asking }))))
    const logged = (): string =>
      log
        .slice(-15)
        .map((line) => JSON.stringify(line))
        .join('\n')
    return {
      log,
      says: (pattern, timeoutMs) =>
        waitForSerial(join(dir, 'serial.log'), pattern, { timeoutMs, ended }).catch((cause: Error) => {
          throw new Error(`${cause.message}\nThe boot services said last:\n${logged()}`, { cause })
        }),
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
