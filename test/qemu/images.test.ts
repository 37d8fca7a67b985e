import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { realClock } from '../../agent/clock.ts'
import { MiB, type Disk } from '../../agent/disks/disk.ts'
import { identify } from '../../agent/disks/identify.ts'
import { loopDisk } from '../../agent/disks/loop-disk.ts'
import { deployImage } from '../../agent/image/deploy.ts'
import { installLoaders } from '../../agent/loader/install.ts'
import { createLog } from '../../agent/log.ts'
import { deployPartitions } from '../../agent/partitions/deploy.ts'
import { renderConfigDrive } from '../../contract/config-drive.ts'
import { type Firmware, startDisk } from '../images/guest.ts'
import { rootOf, withMbr } from '../images/shapes.ts'
import { buildTestImage } from '../images/small-image.ts'

/** What the agent writes boots, however it is partitioned: the agent's own code here, on a loop device, and then real firmware. */

const userData = '#cloud-config\nfqdn: "one"\n'
const configdrive = gzipSync(
  renderConfigDrive({
    // A decoy at a deeper level and an escaped quote: the guest must read the first level only.
    meta_data: {
      keys: [{ uuid: 'wrong', hostname: 'wrong' }],
      note: 'a "quoted" word',
      uuid: 'b100e410-0001',
      hostname: 'one',
    },
    user_data: userData,
  }),
).toString('base64')
const log = createLog(() => undefined, realClock.now)
const means = { trust: {}, clock: realClock, log, seconds: 30, retries: 2, retryInterval: 1, imageKeys: [] }
const dir = mkdtempSync(join(tmpdir(), 'shapes-'))
const shapes = { gpt: '', mbr: join(dir, 'mbr.raw'), root: join(dir, 'root.raw') }

beforeAll(async () => {
  const { path } = await buildTestImage()
  shapes.gpt = path
  await withMbr(path, shapes.mbr)
  await rootOf(path, shapes.root)
}, 600_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function served(file: string) {
  const bytes = await readFile(file)
  const server = createServer((_asked, response) => response.end(bytes))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/image`]
  return { id: 'small', urls, os_hash_algo: 'sha256', os_hash_value: createHash('sha256').update(bytes).digest('hex') }
}

async function wholeDisk(shape: 'gpt' | 'mbr', firmware: Firmware): Promise<Disk> {
  const disk = loopDisk(136 * MiB)
  await deployImage({ image_info: await served(shapes[shape]), configdrive }, disk, means, () => {})
  await installLoaders({ disk, holders: [], kernelArguments: '' }, firmware === 'uefi')
  return disk
}

async function partitioned(disk_label: 'gpt' | 'msdos', firmware: Firmware): Promise<Disk> {
  const disk = loopDisk(400 * MiB)
  const asked = { image_type: 'partition', root_mb: 128, swap_mb: 16, disk_label }
  const image_info = { ...(await served(shapes.root)), ...asked }
  const { root } = await deployPartitions({ image_info, configdrive }, disk, firmware, means, () => {})
  await installLoaders({ disk, holders: [], root, kernelArguments: '' }, firmware === 'uefi')
  expect(await identify(disk, root)).toMatchObject({ 'root uuid': 'b100e410-7e57-4000-8000-000000000001' })
  return disk
}

test.each([
  ['a whole disk with a GPT', (firmware: Firmware) => wholeDisk('gpt', firmware)],
  ['a whole disk with an MBR', (firmware: Firmware) => wholeDisk('mbr', firmware)],
  ['partitions in a GPT', (firmware: Firmware) => partitioned('gpt', firmware)],
  ['partitions in an MBR', (firmware: Firmware) => partitioned('msdos', firmware)],
] as const)('an image of %s starts under BIOS and UEFI, and reads its config drive', async (_what, write) => {
  const disks = { bios: await write('bios'), uefi: await write('uefi') }
  const starts = (['bios', 'uefi'] as const).map(async (firmware) => {
    await using guest = await startDisk(disks[firmware].name, firmware)
    await guest.says(/BLOOMERY-INSTANCE hostname=one uuid=b100e410-0001\s/, 400_000)
    const digest = createHash('sha256').update(userData).digest('hex')
    expect(await guest.says(/BLOOMERY-USERDATA [^\n]*\n/, 120_000)).toContain(
      `BLOOMERY-USERDATA ${digest} #cloud-config`,
    )
    await guest.says(/BLOOMERY-READY\s/, 120_000)
    await guest.says(/BLOOMERY-NETWORK eth0 10\.0\.2\.15\/24\s/, 120_000)
    await guest.off(240_000, { pressing: true })
  })
  await Promise.all(starts)
})
