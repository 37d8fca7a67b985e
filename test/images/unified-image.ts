import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../agent/ramdisk/run.ts'

const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub'

/** A unified kernel image, made as systemd-stub(7) has it. Sections must not overlap in memory. */
export async function makeUnifiedImage(
  to: string,
  { kernel, initrd, commandLine }: { kernel: string; initrd: string; commandLine: string },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'unified-'))
  try {
    const line = join(folder, 'cmdline')
    await writeFile(line, commandLine)
    const section = (name: string, file: string, at: number): string[] => {
      return ['--add-section', `${name}=${file}`, '--change-section-vma', `${name}=${at}`]
    }
    const sections = [
      ...section('.cmdline', line, 0x30000),
      ...section('.linux', kernel, 0x2000000),
      ...section('.initrd', initrd, 0x4000000),
    ]
    await run('objcopy', [...sections, STUB, to])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A disk with a GPT and one EFI system partition, which has this program in EFI/Linux. */
export async function makeDiskOfUnifiedImage(disk: string, mebibytes: number, program: string): Promise<void> {
  await run('truncate', ['-s', `${mebibytes}M`, disk])
  await run('sgdisk', ['--clear', '--new', '1:2048', '--typecode', '1:ef00', disk])
  await run('mkfs.vfat', ['--offset', '2048', disk, String((mebibytes - 2) * 1024)])
  const partition = `${disk}@@1M`
  await run('mmd', ['-i', partition, '::/EFI', '::/EFI/Linux'])
  await run('mcopy', ['-i', partition, program, '::/EFI/Linux/debian-6.1.efi'])
}
