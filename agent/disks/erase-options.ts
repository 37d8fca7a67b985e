import type { NodeParam } from '../../contract/agent.ts'
import { z } from 'zod'

/** How disks are erased in full, as Ironic's conductor says it: flags in driver_internal_info (reference §6.6), with the defaults of
 * ironic-python-agent. */
const flags = z.object({
  agent_erase_devices_iterations: z.int().min(0).max(35).catch(1),
  agent_erase_devices_zeroize: z.boolean().catch(true),
  agent_continue_if_secure_erase_failed: z.boolean().catch(false),
  agent_enable_nvme_secure_erase: z.boolean().catch(true),
  agent_enable_ata_secure_erase: z.boolean().catch(true),
  disk_erasure_concurrency: z.int().min(1).max(64).catch(4),
})

export interface EraseOptions {
  /** Passes of noise. */
  iterations: number
  /** A last pass of zeros. */
  zeroize: boolean
  /** Overwrite a disk that refuses to erase itself, rather than fail. */
  continueAfterRefusal: boolean
  nvme: boolean
  ata: boolean
  /** Disks at once. */
  concurrency: number
}

export function eraseOptions({ driver_internal_info: info }: NodeParam): EraseOptions {
  const given = flags.parse(info ?? {})
  return {
    iterations: given.agent_erase_devices_iterations,
    zeroize: given.agent_erase_devices_zeroize,
    continueAfterRefusal: given.agent_continue_if_secure_erase_failed,
    nvme: given.agent_enable_nvme_secure_erase,
    ata: given.agent_enable_ata_secure_erase,
    concurrency: given.disk_erasure_concurrency,
  }
}
