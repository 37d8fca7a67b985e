import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { isTransient } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { askBmc } from './ask-bmc.ts'
import { readJson } from './body.ts'
import { acceptedAt, type Api } from './context.ts'
import { flag } from './query.ts'

/** How the firmware boots: by UEFI or BIOS, and whether it checks signatures. Both count from the machine's next start. */
export function firmwareStateRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/boot_mode', async (call) => {
    const { target } = z.strictObject({ target: z.string() }).parse(await readJson(call))
    if (target !== 'uefi' && target !== 'bios')
      throw new UserError(400, `Invalid boot mode ${target} specified: there is uefi, bios.`)
    const request = { step: 'management.set_boot_mode' as const, args: { mode: target } }
    await askBmc(platform, call, 'set_boot_mode', request, atRest)
    return acceptedAt(call, call.req.param('ident'), 'states')
  })
  app.put('/v1/nodes/:ident/states/secure_boot', async (call) => {
    const { target } = z.strictObject({ target: z.union([z.boolean(), z.string()]) }).parse(await readJson(call))
    const enabled = typeof target === 'string' ? (flag('target', target) ?? false) : target
    const request = { step: 'management.set_secure_boot' as const, args: { enabled } }
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
