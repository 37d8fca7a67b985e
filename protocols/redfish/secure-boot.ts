import { requiredAction } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { required } from './collection.ts'
import { booleanAt, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

export interface SecureBoot {
  /** As it will be from the next start. */
  enabled: boolean | undefined
  /** As it was at the last start. */
  current: 'Enabled' | 'Disabled' | undefined
  /** SetupMode: no keys are enrolled, so enabling it protects nothing. */
  mode: string | undefined
}

export async function readSecureBoot(bmc: Redfish, system: System): Promise<SecureBoot> {
  const { body } = await resourceOf(bmc, system, 'read secure boot')
  const current = textAt(body, 'SecureBootCurrentBoot')
  return {
    enabled: booleanAt(body, 'SecureBootEnable'),
    current: current === 'Enabled' || current === 'Disabled' ? current : undefined,
    mode: textAt(body, 'SecureBootMode'),
  }
}

/** Counts from the machine's next start. */
export async function setSecureBoot(bmc: Redfish, system: System, enabled: boolean): Promise<void> {
  const operation = `switch secure boot ${enabled ? 'on' : 'off'}`
  await bmc.change(await resourceOf(bmc, system, operation), { SecureBootEnable: enabled }, { operation })
}

export type SecureBootReset = 'ResetAllKeysToDefault' | 'DeleteAllKeys' | 'DeletePK'

export async function resetSecureBootKeys(bmc: Redfish, system: System, to: SecureBootReset): Promise<void> {
  const operation = `reset secure boot keys (${to})`
  const { target } = requiredAction(bmc, await resourceOf(bmc, system, operation), '#SecureBoot.ResetKeys', operation)
  await bmc.send({ method: 'POST', path: target, body: { ResetKeysType: to } }, { operation })
}

async function resourceOf(bmc: Redfish, system: System, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, await readSystem(bmc, system, operation), ['SecureBoot'], operation), operation)
}
