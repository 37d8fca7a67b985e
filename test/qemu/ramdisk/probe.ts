import { execFileSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { realClock } from '../../../agent/clock.ts'
import { eraseFully } from '../../../agent/disks/erase-full.ts'
import { eraseOptions } from '../../../agent/disks/erase-options.ts'
import { listDisks } from '../../../agent/disks/list.ts'
import { describeMachine } from '../../../agent/inventory/describe.ts'
import { listenForLldp } from '../../../agent/lldp/listen.ts'
import { createLog } from '../../../agent/log.ts'
import { listInterfaces } from '../../../agent/machine/network.ts'

/** Stands in the agent's place: tells what it finds, erases every disk as a cleaning would, then fails. */
const [card] = networkInterfaces()['eth0'] ?? []
console.log(`PROBE node ${process.version} address ${card?.address}`)
console.log(`PROBE ${execFileSync('sgdisk', ['--version']).toString().split('\n')[0]}`)

const disks = await listDisks()
const found = await describeMachine({ disks, interfaces: [], bootMac: undefined, uefi: false })
const { memory, cpu, system_vendor: vendor } = found as Record<string, Record<string, unknown>>
console.log(`PROBE machine ${JSON.stringify([memory?.['physical_mb'], cpu?.['count'], vendor?.['serial_number']])}`)
for (const { name, size, serial, wwn, model } of disks)
  console.log(`PROBE disk ${JSON.stringify([name, size, serial, wwn, model])}`)

const log = createLog((line) => console.log(`PROBE log ${line}`), realClock.now)

const cards = (await listInterfaces()).filter(({ mac }) => mac === '52:54:00:b1:00:02').map(({ name }) => name)
console.log(`PROBE lldp ${JSON.stringify(Object.values(await listenForLldp(cards, 60, realClock, log)))}`)

const options = eraseOptions({ uuid: 'n', driver_internal_info: {}, properties: {} })
for (const disk of disks)
  await eraseFully(disk, { clock: realClock, log, sysfs: '/sys' }, { options, progress: () => {} })
console.log('PROBE erased all')
process.exit(7)
