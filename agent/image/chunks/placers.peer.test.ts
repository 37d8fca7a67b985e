import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { buildAgent } from '../../bundle.ts'
import { MiB } from '../../disks/disk.ts'
import { temporaryFolder } from '../../disks/loop-disk.ts'
import { startPlacers } from './placers.ts'

const plain = Buffer.concat([randomBytes(MiB / 2), Buffer.alloc(MiB / 2, 'bloomery')])
const stored = zstdCompressSync(plain)
const sha256 = createHash('sha256').update(plain).digest('hex')

it('threads start from the one file that a ramdisk has, and write what is right only', async () => {
  const folder = temporaryFolder()
  const [program, bundle, disk] = ['program.ts', 'bundle/agent.mjs', 'disk'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(join(folder, 'bundle'))
  writeFileSync(disk, Buffer.alloc(2 * MiB, 0xaa))
  writeFileSync(join(folder, 'stored'), stored)
  writeFileSync(
    program,
    `import { readFileSync } from 'node:fs'
     import { open } from 'node:fs/promises'
     import { startPlacers } from ${JSON.stringify(join(import.meta.dirname, 'placers.ts'))}
     const [disk, file, sha256] = process.argv.slice(2)
     const bytes = readFileSync(file)
     const handle = await open(disk, 'r+')
     const placers = await startPlacers('x', { handle, name: disk, size: 2 * ${MiB} }, 1)
     placers.lanes[0].set(bytes)
     const at = (offset, sha256) => placers.place({ lane: 0, stored: bytes.length, sha256, length: ${MiB}, offset })
     console.log((await at(0, sha256)).right, (await at(${MiB}, 'f'.repeat(64))).right)
     await placers[Symbol.asyncDispose]()
     await handle.close()`,
  )
  await buildAgent(bundle, program)
  const said = execFileSync(process.execPath, [bundle, disk, join(folder, 'stored'), sha256], {
    cwd: join(folder, 'bundle'),
    encoding: 'utf8',
    timeout: 50_000,
  })
  expect(said).toBe('true false\n')
  expect(readFileSync(disk).equals(Buffer.concat([plain, Buffer.alloc(MiB, 0xaa)]))).toBe(true)
})

it('a disk that takes no bytes is a failure that names image and disk', async () => {
  const name = join(temporaryFolder(), 'disk')
  writeFileSync(name, '')
  const handle = await open(name, 'r')
  try {
    await using placers = await startPlacers('debian', { handle, name: '/nowhere', size: MiB }, 1)
    placers.lanes[0]!.set(stored)
    const placing = placers.place({ lane: 0, stored: stored.length, sha256, length: MiB, offset: 0 })
    await expect(placing).rejects.toThrow(/^image debian can't be written to \/nowhere: EBADF/)
  } finally {
    await handle.close()
  }
})
