import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { UsageError } from '../usage.ts'

const run = promisify(execFile)
const HOURS = 4 * 3600 * 1000

/** Names of formats as qemu-img has them. */
export const foreign = { vmdk: 'vmdk', vhd: 'vpc', vhdx: 'vhdx', vdi: 'vdi' } as const
export type Foreign = keyof typeof foreign

/** To a raw file with holes, by qemu-img, which reads what we don't. The format is named, never guessed, and a file that refers to others is
 * refused: it would bring in what lies elsewhere on this machine (CVE-2024-32498). */
export async function convert(from: string, format: Foreign, to: string): Promise<void> {
  const named = foreign[format]
  const info = await qemuImg('info', ['--output=json', '-f', named, from])
  const { 'format-specific': specific, 'backing-filename': backing } = JSON.parse(info) as {
    'format-specific'?: { data?: { extents?: Array<{ filename?: string }> } }
    'backing-filename'?: string
  }
  const others = specific?.data?.extents?.filter(({ filename }) => filename !== undefined && filename !== from) ?? []
  if (backing !== undefined || others.length > 0)
    throw new UsageError(`${from} refers to other files for its contents: flatten it first (qemu-img convert)`)
  await qemuImg('convert', ['-f', named, '-O', 'raw', '-S', '4k', from, to])
}

async function qemuImg(verb: string, args: string[]): Promise<string> {
  try {
    return (await run('qemu-img', [verb, ...args], { timeout: HOURS, maxBuffer: 1024 * 1024 })).stdout
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string }
    if (code === 'ENOENT')
      throw new UsageError(
        'reading this format takes the program qemu-img: install qemu-utils, or convert the image to qcow2 elsewhere',
        { cause },
      )
    throw new UsageError(`qemu-img ${verb}: ${stderr.trim().slice(0, 500) || String(cause)}`, { cause })
  }
}
