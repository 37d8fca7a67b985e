import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeUnifiedImage } from './unified-image.ts'
import { entryIn } from '../../agent/kexec/entry.ts'
import { openPieces } from '../../agent/kexec/pieces.ts'

test('what objcopy puts around systemd’s stub is taken apart again, to the byte', async () => {
  const root = await mkdtemp(join(tmpdir(), 'unified-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const [kernel, initrd] = [join(root, 'linux'), join(root, 'more')]
  await writeFile(kernel, randomBytes(1_234_567))
  await writeFile(initrd, randomBytes(2_000_001))
  await mkdir(join(root, 'EFI/Linux'), { recursive: true })
  const image = join(root, 'EFI/Linux/a.efi')
  await makeUnifiedImage(image, { kernel, initrd, commandLine: 'root=UUID=1 quiet\n' })
  const entry = (await entryIn(root, '1'))!
  expect(entry).toMatchObject({ by: 'unified image', kernel: { path: image }, commandLine: 'root=UUID=1 quiet' })
  const place = join(root, 'pieces')
  await using pieces = await openPieces(entry.kernel, entry.initrds, place)
  expect([pieces.kernel > 2, pieces.initrd > 2]).toEqual([true, true])
  const digest = async (path: string) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  expect(await digest(join(place, 'kernel'))).toBe(await digest(kernel))
  expect(await digest(join(place, 'initrd'))).toBe(await digest(initrd))
})
