import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type Lab, REGISTRY } from '../lab/lab.ts'
import { debianBoot } from './boot/debian.ts'

const run = promisify(execFile)

/** A container with a system in it, and a double of the bootc that would install that: no distribution here has one. It refuses what the real one
 * would not know, and finds no network. */
const bootc = `#!/bin/sh
set -e
case "$*" in 'install to-disk --wipe '*'--source-imgref oci:/run/bloomery/oci '*) ;; *) echo "asked for: $*" >&2; exit 3 ;; esac
[ "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')" = lo ] || { echo 'there is a network' >&2; exit 4; }
[ -s /run/bloomery/oci/index.json ] || { echo 'there is no source' >&2; exit 5; }
for device; do :; done
zcat /usr/system.gz | dd of="$device" bs=1M conv=fsync
`

/** In Debian's registry, on the far side of the WAN; skopeo has put it there. */
export async function bootableContainer(
  { rack }: Lab,
  dir: string,
  system: string,
): Promise<{ image: string; stop(): void }> {
  const layout = await layoutOf(dir, system)
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(dir, 'storage') } },
    http: { addr: REGISTRY },
  }
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config))
  const registry = rack.spawnInCloud(['docker-registry', 'serve', join(dir, 'config.yml')], { stdio: 'ignore' })
  const words = ['copy', '--insecure-policy', '--dest-tls-verify=false', '--retry-times', '10', `oci:${layout}:13`]
  const copy = rack.spawnInCloud(['skopeo', ...words, `docker://${REGISTRY}/os/bootc:13`], { stdio: 'ignore' })
  const [code] = (await once(copy, 'close')) as [number]
  if (code !== 0) {
    registry.kill()
    throw new Error(`skopeo ended with ${code}: the container is not in the registry`)
  }
  return { image: `oci://${REGISTRY}/os/bootc:13`, stop: () => void registry.kill() }
}

/** OCI Image Format Specification, image-layout.md. */
async function layoutOf(dir: string, system: string): Promise<string> {
  const [root, layout] = [join(dir, 'root'), join(dir, 'layout')]
  const bin = join(root, 'usr/bin')
  await mkdir(bin, { recursive: true })
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
  const { busybox } = await debianBoot('amd64')
  await copyFile(busybox, join(bin, 'busybox'))
  await chmod(join(bin, 'busybox'), 0o755)
  for (const name of ['sh', 'zcat', 'dd', 'tail', 'cut', 'tr', 'echo']) await symlink('busybox', join(bin, name))
  await symlink('usr/bin', join(root, 'bin'))
  await writeFile(join(bin, 'bootc'), bootc, { mode: 0o755 })
  await writeFile(join(root, 'usr/system.gz'), gzipSync(await readFile(system), { level: 1 }))
  const put = async (bytes: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    await writeFile(join(layout, 'blobs/sha256', hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const json = (value: object, mediaType: string) => put(Buffer.from(JSON.stringify(value)), mediaType)
  const archive = join(dir, 'layer.tar')
  await run('tar', ['--owner=0', '--group=0', '-cf', archive, '-C', root, '.'])
  const layer = await put(await readFile(archive), 'application/vnd.oci.image.layer.v1.tar')
  await rm(archive)
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const config = await json({ architecture: 'amd64', os: 'linux', rootfs }, 'application/vnd.oci.image.config.v1+json')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await json({ schemaVersion: 2, mediaType, config, layers: [layer] }, mediaType)
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '13' } }
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  return layout
}
