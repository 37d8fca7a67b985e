import { realClock } from '../../../agent/clock.ts'
import { openIpmiDevice } from '../../../agent/bmc/ipmi-device.ts'
import { bmcPlace } from '../../../agent/bmc/lan.ts'
import { listDisks } from '../../../agent/disks/list.ts'
import { loadKernelOf, startLoaded } from '../../../agent/kexec/load.ts'

/** Stands in the agent's place: asks the BMC where it is, then starts what is on the first disk. */
const bmc = await openIpmiDevice(realClock)
const APP = 6
const GET_DEVICE_ID = 1
console.log(`PROBE bmc ${bmc ? (await bmc.ask(APP, GET_DEVICE_ID, [])).toString('hex') : 'none'}`)
if (bmc) console.log(`PROBE bmc at ${JSON.stringify(await bmcPlace(bmc))}`)
bmc?.close()

const [disk] = await listDisks()
const loaded = disk && (await loadKernelOf(disk, undefined))
console.log(`PROBE loaded ${JSON.stringify(loaded)}`)
startLoaded()
