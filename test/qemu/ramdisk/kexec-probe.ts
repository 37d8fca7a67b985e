import { listDisks } from '../../../agent/disks/list.ts'
import { loadKernelOf, startLoaded } from '../../../agent/kexec/load.ts'

/** Stands in the agent's place: starts what is on the first disk. */
const [disk] = await listDisks()
const loaded = disk && (await loadKernelOf(disk, undefined))
console.log(`PROBE loaded ${JSON.stringify(loaded)}`)
startLoaded()
