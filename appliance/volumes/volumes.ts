import { existsSync } from 'node:fs'
import type { ExportedVolume, VolumeRoom, WantedVolume } from '../../contract/block-storage.ts'
import type { Command } from '../../contract/messages.ts'
import { open as openSealed } from '../../contract/seal.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Identity } from '../identity.ts'
import type { Images } from '../images/images.ts'
import { remember } from '../ledger/inbox.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import { applyVolume } from './apply.ts'
import { freeGib, openDisks } from './disks.ts'
import { fillFromImage } from './fill.ts'
import { openVolumeRows, type VolumeRow } from './rows.ts'
import type { Export, Targets } from './target.ts'

type Asked = Extract<Command, { kind: 'volume' }>

export interface VolumeOptions {
  dir: string
  gib: number
  /** `address:port`, as machines reach it. */
  portal: string
  /** Before the colon of targets' names. */
  iqn: string
  targets: Targets
}

export interface VolumeParts {
  /** Undefined: this appliance has no volumes. */
  options: VolumeOptions | undefined
  identity: Pick<Identity, 'uuid' | 'sealingKey'>
  ledger: Ledger
  outbox: Pick<Outbox, 'append'>
  log: Log
  images: Pick<Images, 'fetch' | 'release'>
  get: typeof fetch
}

export interface Volumes {
  /** Takes the command into the ledger, and does it beside everything else that goes on. */
  accept(command: Asked): void
  /** A volume is being made of the image that this command asks for. */
  isFilling(command: string): boolean
  room(): Promise<VolumeRoom | undefined>
  /** Goes on with what was interrupted, and has all be had again that was. */
  resume(): void
  stop(): Promise<void>
}

export const targetName = (iqn: string, volume: string, attachment: string): string =>
  `${iqn}:volume-${volume}.${attachment}`

export function openVolumes(parts: VolumeParts): Volumes {
  const { options, identity, ledger, outbox, log } = parts
  const rows = openVolumeRows(ledger)
  const disks = options && openDisks(options.dir)
  const shared = new Map<string, Export[]>()
  const filling = new Set<string>()
  const goingDown = new AbortController()
  /** One after the other: copies would only take each other's disk. */
  let work: Promise<void> = Promise.resolve()

  function begin(uuid: string): void {
    work = work
      .then(() => run(uuid))
      .catch((error: unknown) => log.error({ volume: uuid, error: sentence(error) }, 'volume'))
  }

  async function run(uuid: string): Promise<void> {
    const row = rows.get(uuid)
    if (row?.state !== 'open' || goingDown.signal.aborted) return
    try {
      const exports = await apply(row)
      finish(row, 'done', null, exports)
      log.info(
        { volume: uuid, generation: row.generation, exports: exports.length, gone: row.wanted === null },
        'volume is as wanted',
      )
    } catch (error) {
      if (goingDown.signal.aborted) return // its row is open at the next start
      const note = sentence(error).slice(0, 1024)
      log.warn({ volume: uuid, generation: row.generation, error: note }, 'volume failed')
      finish(row, 'failed', note, [])
    }
  }

  /** What is newer is on its way, and tells by itself. */
  function finish(row: VolumeRow, phase: 'done' | 'failed', note: string | null, exports: ExportedVolume[]): void {
    ledger.transaction(() => {
      if (!rows.close(row, phase)) return
      outbox.append({ kind: 'volume', node: row.uuid, generation: row.generation, phase, note, exports })
    })
  }

  async function apply({ uuid, wanted, command }: VolumeRow): Promise<ExportedVolume[]> {
    if (!options || !disks) {
      if (wanted === null) return []
      throw new HardwareError('the appliance has no volumes: set volumes.gib in its configuration')
    }
    const { signal } = goingDown
    return applyVolume(uuid, wanted, {
      disks,
      gib: options.gib,
      promised: () => rows.all().reduce((sum, row) => sum + (row.uuid === uuid ? 0 : promisedBy(row)), 0),
      signal,
      async fill(path, image, gib) {
        filling.add(command)
        const trouble = (text: string): void =>
          log.warn({ volume: uuid, image: image.name, text }, 'volume waits for its image')
        await fillFromImage(
          path,
          image,
          { images: parts.images, get: parts.get, gib },
          { commandOf: command, signal, trouble },
        ).finally(() => filling.delete(command))
      },
      async share(exports) {
        shared.set(
          uuid,
          exports.map((each) => exportOf(uuid, each)),
        )
        const failed = await options.targets.set([...shared.values()].flat())
        for (const { name } of shared.get(uuid) ?? []) if (failed.has(name)) throw failed.get(name)
        return exports.map(({ attachment }) => ({
          attachment,
          target_iqn: targetName(options.iqn, uuid, attachment),
          target_portal: options.portal,
          target_lun: 1,
        }))
      },
    })
  }

  /** One whose making failed takes no room. */
  function promisedBy({ uuid, wanted, state }: VolumeRow): number {
    if (wanted === null) return 0
    return state === 'failed' && !existsSync(disks?.path(uuid) ?? '') ? 0 : wanted.gib
  }

  function exportOf(volume: string, { attachment, initiator, secret }: WantedVolume['exports'][number]): Export {
    return {
      name: targetName(options?.iqn ?? '', volume, attachment),
      path: disks?.path(volume) ?? '',
      initiator,
      user: attachment,
      secret: openSealed(secret, `${volume}/${attachment}`, identity.uuid, identity.sealingKey),
      serial: volume.replaceAll('-', '').slice(0, 20),
    }
  }

  /** What machines ran from before goes on, whatever else is to be done. */
  async function shareAgain(): Promise<void> {
    if (!options) return
    for (const { uuid, wanted } of rows.all())
      try {
        shared.set(
          uuid,
          (wanted?.exports ?? []).map((each) => exportOf(uuid, each)),
        )
      } catch (error) {
        log.error({ volume: uuid, error: sentence(error) }, 'a volume can not be exported')
      }
    const there: Export[] = []
    for (const [uuid, exports] of shared) if ((await disks?.size(uuid)) !== undefined) there.push(...exports)
    await options.targets.set(there)
  }

  return {
    accept(command) {
      const { node: uuid, generation, id, wanted, seq } = command
      const fresh = ledger.soon(
        () => remember(ledger, command) && rows.take({ uuid, generation, command: id, state: 'open', wanted }, seq),
      )
      if (fresh) begin(uuid)
    },
    isFilling: (command) => filling.has(command),
    async room() {
      return options && { gib: options.gib, free_gib: await freeGib(options.dir) }
    },
    resume() {
      work = work.then(shareAgain).catch((error: unknown) => log.error({ error: sentence(error) }, 'volumes'))
      for (const row of rows.all()) if (row.state === 'open') begin(row.uuid)
    },
    async stop() {
      goingDown.abort(new Error('the appliance is going down'))
      await work
    },
  }
}
