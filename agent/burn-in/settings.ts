import { z } from 'zod'
import type { NodeParam } from '../../contract/agent.ts'

/** How long and how hard machines are burnt in: keys of driver_info under ironic-python-agent's names, with its defaults where they mean the same. */

const DAY = 86_400
const count = (fallback: number, most: number) => z.coerce.number().int().min(0).max(most).catch(fallback)
const network = z.looseObject({ role: z.enum(['writer', 'reader']), partner: z.string().min(1).max(255) })

const keys = z.object({
  agent_burnin_cpu_cpu: count(0, 4096),
  agent_burnin_cpu_timeout: count(DAY, 14 * DAY),
  'agent_burnin_vm_vm-bytes': z
    .union([z.string(), z.number()])
    .transform((given) => Number(/^(\d{1,3})%?$/.exec(String(given))?.[1]))
    .pipe(z.number().int().min(1).max(98))
    .catch(98),
  agent_burnin_vm_timeout: count(DAY, 14 * DAY),
  agent_burnin_fio_disk_loops: count(4, 1000),
  agent_burnin_fio_disk_runtime: count(0, 14 * DAY),
  agent_burnin_fio_network_runtime: count(21_600, 14 * DAY),
  agent_burnin_fio_network_config: network.optional().catch(undefined),
})

export interface BurnInSettings {
  /** Threads; 0: one a processor. */
  cpus: number
  cpuSeconds: number
  /** Of the memory that is free. */
  memoryPercent: number
  memorySeconds: number
  diskLoops: number
  /** 0: until all loops are done. */
  diskSeconds: number
  networkSeconds: number
  network: { role: 'writer' | 'reader'; partner: string } | undefined
}

export function burnInSettings(node: NodeParam): BurnInSettings {
  const info = keys.parse(node['driver_info'] ?? {})
  return {
    cpus: info.agent_burnin_cpu_cpu,
    cpuSeconds: info.agent_burnin_cpu_timeout,
    memoryPercent: info['agent_burnin_vm_vm-bytes'],
    memorySeconds: info.agent_burnin_vm_timeout,
    diskLoops: info.agent_burnin_fio_disk_loops,
    diskSeconds: info.agent_burnin_fio_disk_runtime,
    networkSeconds: info.agent_burnin_fio_network_runtime,
    network: info.agent_burnin_fio_network_config,
  }
}
