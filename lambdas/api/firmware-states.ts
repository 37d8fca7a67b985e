import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { isTransient } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import type { Platform } from '../platform.ts'
import { argumentsOf } from './arguments.ts'
import { askBmc } from './ask-bmc.ts'
import { acceptedAt, type Api } from './context.ts'

/** How the firmware boots: by UEFI or BIOS, and whether it checks signatures. Both count from the machine's next start. */
export function firmwareStateRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/boot_mode', async (call) => {
    const { target } = await argumentsOf(call, z.strictObject({ target: z.string() }))
    if (target !== 'uefi' && target !== 'bios')
      throw new UserError(400, `Invalid boot mode ${target} requested for node. Allowed boot modes are: bios, uefi`)
    const request = { step: 'management.set_boot_mode' as const, args: { mode: target } }
    await askBmc(platform, call, 'set_boot_mode', request, atRest)
    return acceptedAt(call, call.req.param('ident'), 'states')
  })
  app.put('/v1/nodes/:ident/states/secure_boot', async (call) => {
    const { target } = await argumentsOf(call, z.strictObject({ target: boolean }))
    const request = { step: 'management.set_secure_boot' as const, args: { enabled: target } }
    await askBmc(platform, call, 'set_secure_boot_state', request, atRest)
    return acceptedAt(call, call.req.param('ident'), 'states')
  })
}

function atRest(node: Node): void {
  if (isTransient(node.provision_state))
    throw new UserError(
      409,
      `Node ${node.uuid} can not be changed while a state transition is in progress (${node.provision_state}).`,
    )
}
