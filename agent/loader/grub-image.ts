import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../programs.ts'
import { grubPlatforms, type GrubPlatform } from './grub-modules.ts'

const folderOf = (platform: GrubPlatform) => join('/usr/lib/grub', grubPlatforms[platform].folder)

/** A GRUB with its first commands inside. Nothing of an image is run for it. */
export async function makeGrub(platform: GrubPlatform, commands: string): Promise<Buffer> {
  const { folder, modules } = grubPlatforms[platform]
  const work = await mkdtemp(join(tmpdir(), 'grub-'))
  try {
    const [config, image] = [join(work, 'first.cfg'), join(work, 'image')]
    await writeFile(config, commands)
    const args = ['-d', folderOf(platform), '-O', folder, '-p', '/boot/grub', '-c', config, '-o', image, ...modules]
    await run('grub-mkimage', args, 120)
    return await readFile(image)
  } finally {
    await rm(work, { recursive: true })
  }
}

/** What a BIOS loads from the disk's first sector. */
export function bootSector(): Promise<Buffer> {
  return readFile(join(folderOf('bios'), 'boot.img'))
}
