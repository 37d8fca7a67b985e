import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Entry, writeCpio } from '../../../agent/ramdisk/cpio.ts'

const here = import.meta.dirname
const modules = join(here, '../../../node_modules')

/** Of koffi, what is loaded on x86-64 with glibc. */
const koffi = ['koffi/package.json', 'koffi/index.cjs', 'koffi/src', '@koromix/koffi-linux-x64']

/** The lab's ramdisk, whose kernel knows VLANs, with another init and our DHCP instead of the agent: of two archives, what is in the later one counts. */
export async function vlanRamdisk(ramdisk: string, dir: string): Promise<string> {
  const bundle = join(dir, 'site.mjs')
  await build({
    entryPoints: [join(here, 'site.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  })
  const packages = await Promise.all(koffi.map((path) => filesUnder(path)))
  const entries: Entry[] = [
    program('init', join(here, 'init.sh')),
    program('app/lease.sh', join(here, 'lease.sh')),
    program('app/site.mjs', bundle),
    ...packages.flat().map((path) => program(`app/node_modules/${path}`, join(modules, path))),
  ]
  const parts: Uint8Array[] = [await readFile(ramdisk)]
  for await (const part of writeCpio(entries)) parts.push(part)
  const initrd = join(dir, 'initrd')
  await writeFile(initrd, Buffer.concat(parts))
  return initrd
}

function program(path: string, from: string): Entry {
  return { path, kind: 'file', mode: 0o755, content: { from } }
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(join(modules, path), { recursive: true, withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return [path]
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return files.map((file) => file.slice(modules.length + 1)).filter((file) => !file.includes('/musl_'))
}
