import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Architecture } from './apt.ts'
import type { Entry } from './cpio.ts'
import { missingModules, moduleClosure } from './modules.ts'
import { run } from './run.ts'

/** Debian's kernels: for virtual machines, and for real servers. */
export const flavours = ['cloud-amd64', 'amd64', 'cloud-arm64', 'arm64'] as const
export type Flavour = (typeof flavours)[number]

export function architectureOf(flavour: Flavour): Architecture {
  return flavour.endsWith('arm64') ? 'arm64' : 'amd64'
}

/** What modprobe reads; the binary forms that depmod also writes are for another modprobe than busybox's. */
const indexes = [
  'modules.alias',
  'modules.builtin',
  'modules.dep',
  'modules.order',
  'modules.softdep',
  'modules.symbols',
]

export type KernelChoice = {
  /** The unpacked kernel package, and a folder for the chosen part of it. */
  root: string
  staging: string
  wanted: readonly string[]
  needed: readonly string[]
}

/** Chooses modules from an unpacked kernel package, indexes the choice, and returns it with the kernel. */
export async function kernelWithModules(choice: KernelChoice): Promise<{ kernel: string; modules: Entry[] }> {
  const { root, staging } = choice
  const [version] = await readdir(join(root, 'lib/modules'))
  if (!version) throw new Error(`the kernel package unpacked in ${root} holds no modules`)
  const chosen = await chooseModules(choice, version)
  const folder = `lib/modules/${version}`
  for (const file of [...chosen, 'modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    await mkdir(dirname(join(staging, folder, file)), { recursive: true })
    await cp(join(root, folder, file), join(staging, folder, file))
  }
  await run('depmod', ['--basedir', staging, version])
  const modules = [...chosen, ...indexes].map((file): Entry => {
    return { path: `usr/${folder}/${file}`, kind: 'file', mode: 0o644, content: { from: join(staging, folder, file) } }
  })
  return { kernel: join(root, `boot/vmlinuz-${version}`), modules }
}

async function chooseModules({ root, wanted, needed }: KernelChoice, version: string): Promise<string[]> {
  await run('depmod', ['--basedir', root, version])
  const read = (name: string) => readFile(join(root, 'lib/modules', version, name), 'utf8')
  const [dependencies, soft, aliases] = [
    await read('modules.dep'),
    await read('modules.softdep'),
    await read('modules.alias'),
  ]
  const chosen = moduleClosure({ dependencies, soft, aliases }, wanted)
  const missing = missingModules(needed, chosen, await read('modules.builtin'))
  if (missing.length > 0) throw new Error(`kernel ${version} has no ${missing.join(', ')} among the modules wanted`)
  return chosen
}
