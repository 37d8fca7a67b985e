import { Command } from 'commander'
import type { ConfigDriveSource } from '../contract/api/requests.ts'
import type { PatchOperation } from '../contract/api/patch.ts'
import { define } from './context.ts'
import { follow, WAIT_SECONDS } from './follow.ts'
import { UsageError } from './usage.ts'
import { readText, seconds } from './values.ts'

interface Deploying {
  image: string
  checksum?: string
  hostname?: string
  sshKey?: string
  userData?: string
  wait?: boolean
  timeout: number
}

export function deployCommand(): Command {
  const command = new Command('deploy')
    .argument('<node>', 'name or UUID')
    .description('write an image to the node’s disk and start it')
    .requiredOption(
      '--image <image>',
      'name of an image that was pushed, an http(s) URL with --checksum, a file:// of the site, or oci://',
    )
    .option('--checksum <hex|url>', 'sha256 or sha512 of the image behind a URL, or a file of such')
    .option('--hostname <name>', 'default: the node’s name')
    .option('--ssh-key <file>', 'public key that may log in')
    .option('--user-data <file>', 'for cloud-init')
    .option('--wait', 'until it runs, with the progress of each step')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
  return define(
    command,
    [
      'bloomery deploy n1 --image debian-13 --ssh-key ~/.ssh/id_ed25519.pub --wait',
      'bloomery deploy n1 --image http://images.example/d.raw --checksum 3b1f… --user-data cloud-config.yaml',
      'bloomery deploy n1 --image oci://registry.example/os/debian:13',
    ],
    async (context, [ident], options: Deploying) => {
      const configdrive = configDrive(options)
      const patch = imagePatch(options)
      const start = async (): Promise<void> => {
        await context.client.nodes.patch(ident!, patch)
        await context.client.nodes.provision(ident!, 'active', configdrive && { configdrive })
      }
      if (options.wait) return follow(context, ident!, 'active', options.timeout, start)
      await start()
      context.print({ node: ident, target: 'active' }, `Node ${ident} is being deployed: bloomery node show ${ident}`)
    },
  )
}

export function undeployCommand(): Command {
  const command = new Command('undeploy')
    .argument('<node>', 'name or UUID')
    .description('stop the node, erase its disk’s metadata, and offer it again')
    .option('--wait', 'until it is available, with the progress of each step')
    .option('--timeout <seconds>', 'of --wait', seconds, WAIT_SECONDS)
  return define(
    command,
    ['bloomery undeploy n1 --wait'],
    async (context, [ident], { wait, timeout }: { wait?: boolean; timeout: number }) => {
      const start = (): Promise<void> => context.client.nodes.provision(ident!, 'deleted')
      if (wait) return follow(context, ident!, 'available', timeout, start)
      await start()
      context.print(
        { node: ident, target: 'available' },
        `Node ${ident} is being torn down: bloomery node show ${ident}`,
      )
    },
  )
}

function imagePatch({ image, checksum }: Deploying): PatchOperation[] {
  const isWeb = /^https?:\/\//i.test(image)
  if (isWeb && checksum === undefined) throw new UsageError('an image behind a URL needs --checksum')
  if (!isWeb && !image.startsWith('file:') && checksum !== undefined)
    throw new UsageError('--checksum goes with a URL: images that were pushed, and those of registries, have their own')
  const patch: PatchOperation[] = [{ op: 'add', path: '/instance_info/image_source', value: image }]
  if (checksum !== undefined) patch.push({ op: 'add', path: '/instance_info/image_checksum', value: checksum })
  return patch
}

function configDrive({ hostname, sshKey, userData }: Deploying): ConfigDriveSource | undefined {
  const key = sshKey === undefined ? undefined : readText(sshKey).trim()
  if (key?.includes('PRIVATE KEY')) throw new UsageError(`${sshKey} is a private key: give the .pub file beside it`)
  if (hostname === undefined && key === undefined && userData === undefined) return undefined
  return {
    meta_data: {
      ...(hostname !== undefined && { hostname, name: hostname }),
      ...(key && { public_keys: { default: key } }),
    },
    ...(userData !== undefined && { user_data: readText(userData) }),
  }
}
