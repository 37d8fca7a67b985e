import { z } from 'zod'
import type { NodeParam } from '../../contract/agent.ts'
import { command, type CommandTable } from '../api/commands.ts'
import type { Machine } from '../machine/machine.ts'
import { diskOf, type Deployed } from './deployed.ts'
import { rescueExtension } from './rescue.ts'
import { standbyExtension } from './standby.ts'
import { cleanExtension, deployExtension, serviceExtension } from './steps.ts'

const nothing = z.looseObject({})
const loaderParams = z.looseObject({ ignore_bootloader_failure: z.boolean().nullish() })

/** Everything that this agent can be told to do. */
export function createTable(machine: Machine, node: NodeParam): CommandTable {
  const deployed: Deployed = {}
  return {
    clean: cleanExtension(machine, deployed),
    deploy: deployExtension(machine, deployed),
    service: serviceExtension(machine, deployed),
    standby: standbyExtension(machine, deployed, node),
    image: {
      install_bootloader: command(true, loaderParams, async ({ ignore_bootloader_failure: ignore }) => {
        try {
          return await machine.installBoot(diskOf(deployed), deployed.written ?? {})
        } catch (error) {
          if (ignore) return `ignored: ${error instanceof Error ? error.message : String(error)}`
          throw error
        }
      }),
    },
    log: {
      collect_system_logs: command(false, nothing, async () => ({
        system_logs: (await machine.collectLogs()).toString('base64'),
      })),
    },
    poll: { get_hardware_info: command(false, nothing, () => machine.inventory()) },
    rescue: rescueExtension(machine),
    system: {
      lockdown: command(false, nothing, () => {
        machine.lockDown()
        return Promise.resolve(null)
      }),
    },
  }
}
