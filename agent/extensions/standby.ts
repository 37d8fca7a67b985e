import { z } from 'zod'
import type { NodeParam } from '../../contract/agent.ts'
import { command, type Command } from '../api/commands.ts'
import { chooseRootDisk } from '../disks/choose.ts'
import { writeArguments } from '../image/deploy.ts'
import type { Machine } from '../machine/machine.ts'
import { diskOf, type Deployed } from './deployed.ts'

const nothing = z.looseObject({})

/** `node` is as the lookup described it, for prepare_image is not told. */
export function standbyExtension(machine: Machine, deployed: Deployed, node: NodeParam): Record<string, Command> {
  return {
    prepare_image: command(true, writeArguments, async (wanted, { progress }) => {
      const disk = chooseRootDisk(await machine.disks(), node)
      deployed.disk = disk
      deployed.written = await machine.writeImage(wanted, disk, progress)
      return deployed.written.said
    }),
    get_partition_uuids: command(false, nothing, () => machine.identify(diskOf(deployed), deployed.written?.root)),
    sync: command(false, nothing, async () => {
      await machine.sync()
      return null
    }),
    power_off: command(true, nothing, async () => {
      await machine.sync()
      machine.powerOff()
      return null
    }),
    /** Ours alone: what `start_kernel` starts. */
    load_kernel: command(true, nothing, async () => {
      const disk = diskOf(deployed)
      await machine.sync()
      return machine.loadKernel(disk, deployed.written ?? {})
    }),
    start_kernel: command(true, nothing, async () => {
      await machine.sync()
      machine.startKernel()
      return null
    }),
    run_image: command(true, nothing, async () => {
      await machine.sync()
      machine.reboot()
      return null
    }),
  }
}
