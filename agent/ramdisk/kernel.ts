import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Entry } from './cpio.ts'
import { missingModules, moduleClosure, neededModules, wantedModules } from './modules.ts'
import { run } from './run.ts'

export const flavours = ['cloud-amd64', 'amd64'] as const
export type Flavour = (typeof flavours)[number]

/** What modprobe reads; the binary forms that depmod also writes are for another modprobe than busybox's. */
const indexes = [
  'modules.alias',
  'modules.builtin',
  'modules.dep',
  'modules.order',
  'modules.softdep',
  'modules.symbols',
]

/** Chooses modules from an unpacked kernel package, indexes the choice in `staging`, and returns it with the kernel. */
export async function kernelWithModules(
  root: string,
  staging: string,
  flavour: Flavour,
): Promise<{ kernel: string; version: string; modules: Entry[] }> {
  const [version] = await readdir(join(root, 'lib/modules'))
  if (!version) throw new Error(`the kernel package for ${flavour} holds no modules`)
  const chosen = await chooseModules(root, version, flavour)
  const folder = `lib/modules/${version}`
  for (const file of [...chosen, 'modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    await mkdir(dirname(join(staging, folder, file)), { recursive: true })
    await cp(join(root, folder, file), join(staging, folder, file))
  }
  await run('depmod', ['--basedir', staging, version])
  const files = [...chosen, ...indexes].map((file): Entry => {
    return { path: `usr/${folder}/${file}`, kind: 'file', mode: 0o644, content: { from: join(staging, folder, file) } }
  })
  return { kernel: join(root, `boot/vmlinuz-${version}`), version, modules: files }
}

async function chooseModules(root: string, version: string, flavour: Flavour): Promise<string[]> {
  await run('depmod', ['--basedir', root, version])
  const read = (name: string) => readFile(join(root, 'lib/modules', version, name), 'utf8')
  const chosen = moduleClosure(await read('modules.dep'), wantedModules)
  const missing = missingModules(neededModules[flavour], chosen, await read('modules.builtin'))
  if (missing.length > 0)
    throw new Error(`kernel ${version} has no ${missing.join(', ')}: correct agent/ramdisk/modules.ts`)
  return chosen
}
