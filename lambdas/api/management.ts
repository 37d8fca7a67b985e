import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { hardwareType } from '../../contract/hardware.ts'
import { bootDevice, type Node } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { startPower } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { isBusy } from '../store/nodes.ts'
import { argumentsOf } from './arguments.ts'
import { changeAsked } from './change.ts'
import type { Api } from './context.ts'
import { nodeOf } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'
import { askBmc } from './ask-bmc.ts'
import { settled } from './settle.ts'
import { requireValid } from './validation.ts'

const request = z.strictObject({ boot_device: z.string(), persistent: boolean.nullish() })

export function managementRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/management/boot_device'
  app.get(path, async (call) => {
    const { boot_device } = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    return call.json(boot_device ?? { boot_device: null, persistent: null })
  })
  app.get(`${path}/supported`, async (call) =>
    call.json({ supported_boot_devices: supported(await nodeOf(platform, call.req.param('ident'), call.var.minor)) }),
  )
  app.put('/v1/nodes/:ident/management/inject_nmi', async (call) => {
    await argumentsOf(call, z.strictObject({}))
    await askBmc(platform, call, 'inject_nmi', { step: 'management.inject_nmi', args: {} })
    return call.body(null, 204)
  })
  app.put(path, async (call) => {
    const ident = call.req.param('ident')
    const asked = await argumentsOf(call, request)
    const { uuid } = await settled(platform, await nodeOf(platform, ident, call.var.minor))
    await changeAsked(call, platform, uuid, async (node) => {
      const device = bootDevice.safeParse(asked.boot_device)
      if (!device.success || !supported(node).includes(device.data))
        throw new UserError(
          400,
          `Invalid boot device ${asked.boot_device} specified. There is ${supported(node).join(', ')}.`,
        )
      if (isBusy(node)) throw new UserError(409, lockedText(node, (await holderLookup(platform)(node)).reservation))
      await requireValid(platform, node, ['management'])
      const boot_device = { boot_device: device.data, persistent: asked.persistent ?? false }
      return { node: startPower(node, { boot_device }, platform.clock.now()) }
    })
    return call.body(null, 204)
  })
}

function supported(node: Node): readonly string[] {
  return node.management_interface === 'noop' ? [] : (hardwareType(node.driver)?.bootDevices ?? [])
}
