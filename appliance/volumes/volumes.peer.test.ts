import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@bloomery/wire/free-port.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { WantedVolume } from '../../contract/block-storage.ts'
import type { Command } from '../../contract/messages.ts'
import { newSealingKey, seal } from '../../contract/seal.ts'
import { openLedger } from '../ledger/ledger.ts'
import type { NewReport } from '../ledger/outbox.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { startTargets } from './target.ts'
import { openVolumes } from './volumes.ts'

/** The site's volumes on Debian's real tgtd; libiscsi and qemu-img are the machines. */

const run = promisify(execFile)
const LONG = 240_000
const WAIT = { timeout: 60_000, interval: 20 }
const INITIATOR = 'iqn.2026-11.org.example:node-1'
const SECRET = 'a-secret-of-16-b'
const APPLIANCE = '00000002-0000-4000-8000-000000000001'
const volume = '000000a2-0000-4000-8000-000000000001'
const other = '000000a2-0000-4000-8000-000000000002'
const attachment = '000000a4-0000-4000-8000-000000000001'
const attachmentOf = (uuid: string): string => (uuid === volume ? attachment : attachment.replace('a4', 'a5'))
const snapshot = '000000a3-0000-4000-8000-000000000001'
const IMAGE = Buffer.concat([randomBytes(1_500_000), Buffer.alloc(3 * 1_048_576), randomBytes(70_000)])
const image = {
  name: 'debian',
  source: { kind: 'url' as const, url: 'http://images.example/debian' },
  size: IMAGE.length,
  disk_format: 'raw' as const,
  os_hash_algo: 'sha256' as const,
  os_hash_value: createHash('sha256').update(IMAGE).digest('hex'),
}
const empty: WantedVolume = { gib: 1, source: null, snapshots: [], exports: [] }

type Told = Extract<NewReport, { kind: 'volume' }>

/** A site with 10 GiB, each of whose lives finds folder, ledger and port of the one before. */
async function site() {
  const dir = temporaryFolder()
  const keys = newSealingKey()
  const identity = { uuid: APPLIANCE, sealingKey: keys.privateKey }
  const portal = `127.0.0.1:${await freePort()}`
  const socketDir = join(dir, 'iscsi')
  mkdirSync(socketDir)
  const generations = new Map<string, number>()
  let seq = 0

  async function live() {
    const log = memoryLog()
    const ledger = openLedger(join(dir, 'ledger.sqlite'))
    const told: Told[] = []
    const targets = await startTargets({ dir: socketDir, portal, log })
    const volumes = openVolumes({
      options: { dir: join(dir, 'volumes'), gib: 10, portal, iqn: 'iqn.2026-11.org.example', targets },
      identity,
      ledger,
      outbox: { append: (report) => void told.push(report as Told) },
      log,
      images: {
        fetch: async () => ({ url: 'http://site/image', algorithm: 'sha256', digest: image.os_hash_value }),
        release: async () => {},
      },
      get: (async () => new Response(Uint8Array.from(IMAGE))) as typeof fetch,
    })
    volumes.resume()
    let ended = false
    const end = async (): Promise<void> => {
      if (ended) return
      ended = true
      await volumes.stop()
      await targets.stop()
      ledger.close()
    }
    onTestFinished(end)
    const want = async (uuid: string, wanted: WantedVolume | null): Promise<Told> => {
      const generation = (generations.get(uuid) ?? 0) + 1
      generations.set(uuid, generation)
      seq += 1
      const id = `000000a1-0000-4000-8000-${String(seq).padStart(12, '0')}`
      const now = new Date().toISOString()
      const command: Extract<Command, { kind: 'volume' }> = {
        id,
        seq,
        node: uuid,
        generation,
        issued_at: now,
        deadline: now,
        kind: 'volume',
        wanted,
      }
      volumes.accept(command)
      const said = (): Told | undefined => told.find((each) => each.node === uuid && each.generation === generation)
      return vi.waitUntil(said, WAIT)
    }
    return { volumes, told, log, end, want }
  }
  const shared = (uuid: string, more: Partial<WantedVolume> = {}): WantedVolume => ({
    ...empty,
    ...more,
    exports: [
      {
        attachment: attachmentOf(uuid),
        initiator: INITIATOR,
        secret: seal(SECRET, `${uuid}/${attachmentOf(uuid)}`, [{ appliance: APPLIANCE, key: keys.publicKey }]),
      },
    ],
  })
  return { dir, portal, live, shared, tgtd: () => Number(readFileSync(join(socketDir, 'tgtd.pid'), 'latin1')) }
}

const url = ({ exports: [at] }: Told, secret = SECRET, user = at?.attachment): string =>
  `iscsi://${user}%${secret}@${at?.target_portal}/${at?.target_iqn}/${at?.target_lun}`

/** What a program said; undefined: it failed. */
async function trying(program: string, argv: string[]): Promise<string | undefined> {
  return run(program, argv, { timeout: 60_000 }).then(
    ({ stdout }) => stdout,
    () => undefined,
  )
}
const capacity = (at: string, initiator = INITIATOR): Promise<string | undefined> =>
  trying('iscsi-readcapacity16', ['-i', initiator, '-s', at])

/** By qemu's own initiator. */
const optionsFor = ({ exports: [at] }: Told): string =>
  [
    'driver=raw,file.driver=iscsi,file.transport=tcp',
    `file.portal=${at?.target_portal},file.target=${at?.target_iqn},file.lun=${at?.target_lun}`,
    `file.user=${at?.attachment},file.password=${SECRET},file.initiator-name=${INITIATOR}`,
  ].join(',')

/** The file to the start of the disk. */
const write = (at: Told, file: string) =>
  run('qemu-io', ['-c', `write -s ${file} 0 ${statSync(file).size}`, '-c', 'flush', '--image-opts', optionsFor(at)])

/** So many bytes of the start of the disk. */
async function read(at: Told, bytes: number, to: string): Promise<Buffer> {
  const blocks = Math.ceil(bytes / 65_536)
  await run('qemu-img', [
    'dd',
    '--image-opts',
    `if=${optionsFor(at)}`,
    '-O',
    'raw',
    `of=${to}`,
    'bs=65536',
    `count=${blocks}`,
  ])
  return readFileSync(to).subarray(0, bytes)
}

test('the machine that a volume is for logs in with its secret, and nobody else does', { timeout: LONG }, async () => {
  const { live, shared } = await site()
  const { want, log } = await live()
  const told = await want(volume, shared(volume))
  expect(told).toMatchObject({ note: null, phase: 'done', exports: [{ attachment, target_lun: 1 }] })

  expect(await capacity(url(told))).toContain(`${2 ** 30}`)
  expect(await capacity(url(told, 'another-of-16-by'))).toBeUndefined()
  expect(await capacity(url(told, SECRET, 'somebody'))).toBeUndefined()
  expect(await capacity(url(told), 'iqn.2026-11.org.example:node-2')).toBeUndefined()
  expect(await capacity(url(told).replace(/\/\/.*@/, '//'))).toBeUndefined()
  expect(JSON.stringify(log.lines)).not.toContain(SECRET)

  const without = await want(volume, empty)
  expect(without).toMatchObject({ phase: 'done', exports: [] })
  expect(await capacity(url(told))).toBeUndefined()
})

test('no command line shows a secret', { timeout: LONG }, async () => {
  const { live, shared, tgtd } = await site()
  const { want } = await live()
  await want(volume, shared(volume))
  expect(readFileSync(`/proc/${tgtd()}/cmdline`, 'latin1')).not.toContain(SECRET)
  expect(readFileSync(`/proc/${tgtd()}/environ`, 'latin1')).not.toContain(SECRET)
})

test('what a machine wrote is there after the appliance was started anew', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const first = await live()
  const told = await first.want(volume, shared(volume))
  const at = url(told)
  const file = join(dir, 'written')
  writeFileSync(file, randomBytes(1_048_576))
  await write(told, file)
  await first.end()
  expect(await capacity(at)).toBeUndefined()

  await live()
  await vi.waitUntil(() => capacity(at), WAIT)
  expect((await read(told, 1_048_576, join(dir, 'read'))).equals(readFileSync(file))).toBe(true)
})

test('a target that outlives the appliance is taken over', { timeout: LONG }, async () => {
  const { live, shared, tgtd } = await site()
  const first = await live()
  const at = url(await first.want(volume, shared(volume)))
  const before = tgtd()
  await first.volumes.stop() // and not its target

  const second = await live()
  expect(tgtd()).toBe(before)
  expect(await capacity(at)).toBeDefined()
  await second.end()
})

// Of one life alone: two that are there at once, as they never are, would both start it.
test('a target that dies is started again', { timeout: LONG }, async () => {
  const { live, shared, tgtd } = await site()
  const { want } = await live()
  const at = url(await want(volume, shared(volume)))
  const before = tgtd()
  process.kill(before, 'SIGKILL')
  await vi.waitUntil(() => capacity(at), WAIT)
  expect(tgtd()).not.toBe(before)
})

test('a snapshot stays as it was, and a volume made of it has what it had', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const { want } = await live()
  const file = (name: string): string => {
    writeFileSync(join(dir, name), randomBytes(131_072))
    return join(dir, name)
  }
  const [early, late] = [file('early'), file('late')]
  await write(await want(volume, shared(volume)), early)
  expect(await want(volume, { ...empty, snapshots: [snapshot] })).toMatchObject({ phase: 'done' })
  const again = await want(volume, shared(volume, { snapshots: [snapshot] }))
  await write(again, late)

  const made = await want(other, shared(other, { gib: 2, source: { kind: 'snapshot', volume, snapshot } }))
  expect(await capacity(url(made))).toContain(`${2 * 2 ** 30}`)
  expect((await read(made, 131_072, join(dir, 'made'))).equals(readFileSync(early))).toBe(true)
  expect((await read(again, 131_072, join(dir, 'now'))).equals(readFileSync(late))).toBe(true)
})

test('a volume of an image holds the image, without its zeros, and grows', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const { want } = await live()
  const made = await want(volume, shared(volume, { source: { kind: 'image', image } }))
  expect((await read(made, IMAGE.length, join(dir, 'read'))).equals(IMAGE)).toBe(true)
  expect(statSync(join(dir, 'volumes', volume, 'disk')).blocks * 512).toBeLessThan(3 * 1_048_576)
  const grown = await want(volume, shared(volume, { gib: 3 }))
  expect(await capacity(url(grown))).toContain(`${3 * 2 ** 30}`)
})

test('what has no room, or shall be smaller, fails and says why', { timeout: LONG }, async () => {
  const { dir, live } = await site()
  const { want } = await live()
  expect(await want(volume, { ...empty, gib: 8 })).toMatchObject({ phase: 'done' })
  expect(await want(other, { ...empty, gib: 3 })).toMatchObject({
    phase: 'failed',
    note: 'the appliance has 2 GiB left of what it may promise, and 3 are asked for',
  })
  expect(existsSync(join(dir, 'volumes', other))).toBe(false)
  expect(await want(volume, null)).toMatchObject({ phase: 'done' })
  expect(existsSync(join(dir, 'volumes', volume))).toBe(false)
  expect(await want(other, { ...empty, gib: 3 })).toMatchObject({ phase: 'done' })
})

test('room that was promised stays so when the next thing fails', { timeout: LONG }, async () => {
  const { live } = await site()
  const { want } = await live()
  await want(volume, { ...empty, gib: 6 })
  expect(await want(volume, { ...empty, gib: 20 })).toMatchObject({ phase: 'failed' })
  expect(await want(other, { ...empty, gib: 6 })).toMatchObject({ phase: 'failed' })
  expect(await want(volume, { ...empty, gib: 6 })).toMatchObject({ phase: 'done' })
  expect(await want(other, { ...empty, gib: 4 })).toMatchObject({ phase: 'done' })
})

test('what was on a deleted volume is on no other', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const { want } = await live()
  const mark = Buffer.alloc(131_072, 'what nobody else may read ')
  writeFileSync(join(dir, 'mark'), mark)
  await write(await want(volume, shared(volume)), join(dir, 'mark'))
  expect(await want(volume, null)).toMatchObject({ phase: 'done' })
  expect(readdirSync(join(dir, 'volumes'))).toEqual([])
  const next = await want(other, shared(other))
  expect((await read(next, mark.length, join(dir, 'read'))).equals(Buffer.alloc(mark.length))).toBe(true)
  expect(statSync(join(dir, 'volumes', other, 'disk')).blocks * 512).toBeLessThan(mark.length)
})

test('a target that can not be had again keeps no other back', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const first = await live()
  const at = url(await first.want(volume, shared(volume)))
  await first.want(other, shared(other))
  await first.end()
  const disk = join(dir, 'volumes', other, 'disk')
  rmSync(disk)
  mkdirSync(disk)
  const second = await live()
  await vi.waitUntil(() => capacity(at), WAIT)
  await expect.poll(() => JSON.stringify(second.log.lines)).toContain(`volume-${other}`)
})

test('a full disk fails what needs room, says so, and leaves nothing half made', { timeout: LONG }, async () => {
  const { dir, live, shared } = await site()
  const volumes = join(dir, 'volumes')
  mkdirSync(volumes)
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'volumes', volumes])
  onTestFinished(async () => void (await run('umount', ['-l', volumes])))
  const { want } = await live()
  expect(await want(volume, { ...empty, source: { kind: 'image', image } })).toMatchObject({
    phase: 'failed',
    note: expect.stringMatching(/ENOSPC|no space left/i),
  })
  expect(readdirSync(volumes)).toEqual([])
  expect(await capacity(url(await want(other, shared(other))))).toContain(`${2 ** 30}`)
})

test('a port in use is said', { timeout: LONG }, async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  onTestFinished(() => void taken.close())
  const portal = `127.0.0.1:${(taken.address() as AddressInfo).port}`
  const dir = temporaryFolder()
  await expect(startTargets({ dir, portal, log: memoryLog() })).rejects.toThrow(`tgtd can't listen on ${portal}`)
})
