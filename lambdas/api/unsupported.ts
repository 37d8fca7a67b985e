import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { isTransient } from '../../contract/provision.ts'
import type { Platform } from '../platform.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { nodeOf } from './find.ts'
import { flag } from './query.ts'

/** What management interfaces may offer and none of ours does: requests are checked as ever, then refused as Ironic refuses them. */
export function unsupportedRoutes(app: Api, platform: Platform): void {
  const node = (call: Call): Promise<Node> => nodeOf(platform, call.req.param('ident') ?? '', call.var.minor)
  const management = '/v1/nodes/:ident/management'
  const states = '/v1/nodes/:ident/states'
  app.put(`${management}/inject_nmi`, async (call) => {
    z.strictObject({}).parse((await readJson(call)) ?? {})
    throw lacking(await node(call), 'inject_nmi')
  })
  app.get(`${management}/indicators`, async (call) => {
    throw lacking(await node(call), 'get_supported_indicators')
  })
  app.get(`${management}/indicators/:indicator`, async (call) => {
    throw lacking(await node(call), 'get_indicator_state')
  })
  app.put(`${management}/indicators/:indicator`, async (call) => {
    z.strictObject({ state: z.enum(['on', 'off', 'blinking', 'unknown']) }).parse(await readJson(call))
    throw lacking(await node(call), 'set_indicator_state')
  })
  app.put(`${states}/boot_mode`, async (call) => {
    const { target } = z.strictObject({ target: z.string() }).parse(await readJson(call))
    if (target !== 'uefi' && target !== 'bios')
      throw new UserError(400, `Invalid boot mode ${target} specified: there is uefi, bios.`)
    throw lacking(atRest(await node(call)), 'set_boot_mode')
  })
  app.put(`${states}/secure_boot`, async (call) => {
    const { target } = z.strictObject({ target: z.union([z.boolean(), z.string()]) }).parse(await readJson(call))
    if (typeof target === 'string') flag('target', target)
    throw lacking(atRest(await node(call)), 'set_secure_boot_state')
  })
  app.get('/v1/nodes/:ident/vmedia', async (call) => {
    throw lacking(await node(call), 'get_virtual_media')
  })
  app.post('/v1/nodes/:ident/vmedia', async (call) => {
    vmedia.parse(await readJson(call))
    throw lacking(await node(call), 'attach_virtual_media')
  })
  app.delete('/v1/nodes/:ident/vmedia', async (call) => {
    const asked = call.req.query('device_types')
    if (asked !== undefined) z.array(device).parse(asked.split(','))
    throw lacking(await node(call), 'detach_virtual_media')
  })
}

const device = z.enum(['cdrom', 'disk', 'floppy'])
const vmedia = z.strictObject({
  device_type: device,
  image_url: z.url({ protocol: /^(https?|nfs|cifs|file)$/ }).max(2048),
  image_download_source: z.enum(['local', 'http', 'swift']).optional(),
})

export function lacking({ driver }: Pick<Node, 'driver'>, extension: string): UserError {
  return new UserError(400, `Driver ${driver} does not support ${extension} (disabled or not implemented).`)
}

function atRest(node: Node): Node {
  if (isTransient(node.provision_state))
    throw new UserError(
      409,
      `Node ${node.uuid} can not be changed while a state transition is in progress (${node.provision_state}).`,
    )
  return node
}
