import { stateFor, timeText } from '../../contract/api/views.ts'
import type { Platform } from '../platform.ts'
import type { Api } from './context.ts'
import { tagged } from './etag.ts'
import { nodeOf } from './find.ts'
import { redacted } from './redact.ts'

export function statesRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/states', async (call) => {
    const { minor } = call.var
    const node = await nodeOf(platform, call.req.param('ident'), minor)
    const { last_error } = redacted({ last_error: node.last_error }, call.var.caller, node)
    return tagged(call, node, {
      console_enabled: node.console_enabled,
      last_error,
      power_state: node.power_state,
      provision_state: stateFor(node.provision_state, minor),
      target_power_state: node.target_power_state,
      target_provision_state: node.target_provision_state,
      provision_updated_at: timeText(node.provision_updated_at),
      ...(minor < 12 ? {} : { raid_config: node.raid_config, target_raid_config: node.target_raid_config }),
      ...(minor < 75 ? {} : { boot_mode: node.boot_mode, secure_boot: node.secure_boot }),
    })
  })
}
