import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { findBmc } from '../../../agent/bmc/find.ts'
import { realClock } from '../../../agent/clock.ts'
import { eraseFully } from '../../../agent/disks/erase-full.ts'
import { eraseOptions } from '../../../agent/disks/erase-options.ts'
import { listDisks } from '../../../agent/disks/list.ts'
import { describeMachine } from '../../../agent/inventory/describe.ts'
import { loadKernelOf } from '../../../agent/kexec/load.ts'
import { listenForLldp } from '../../../agent/lldp/listen.ts'
import { createLog } from '../../../agent/log.ts'
import { isUefi } from '../../../agent/machine/efi.ts'
import { listInterfaces } from '../../../agent/machine/network.ts'
import { Arrays } from '../../../agent/raid/arrays.ts'
import { createArrays, deleteArrays } from '../../../agent/raid/configure.ts'

/** Stands in the agent's place: tells what it finds, erases every disk as a cleaning would, then fails. */
const [card] = networkInterfaces()['eth0'] ?? []
console.log(`PROBE node ${process.version} address ${card?.address}`)
console.log(`PROBE ${execFileSync('sgdisk', ['--version']).toString().split('\n')[0]}`)

const log = createLog((line) => console.log(`PROBE log ${line}`), realClock.now)
const disks = await listDisks()
const found = await describeMachine({
  disks,
  interfaces: await listInterfaces(),
  bootMac: undefined,
  uefi: await isUefi(),
  bmc: await findBmc(realClock, log),
})
const { memory, cpu, system_vendor: vendor } = found as Record<string, Record<string, unknown>>
console.log(`PROBE machine ${JSON.stringify([memory?.['physical_mb'], cpu?.['count'], vendor?.['serial_number']])}`)
const macs = (found['interfaces'] as { mac_address: string }[]).map(({ mac_address: mac }) => mac).toSorted()
console.log(`PROBE boots ${JSON.stringify([found['boot'], macs])}`)
console.log(`PROBE bmc ${JSON.stringify([found['bmc_address'], found['bmc_v6address'], found['bmc_mac']])}`)
for (const { name, size, serial, wwn, model } of disks)
  console.log(`PROBE disk ${JSON.stringify([name, size, serial, wwn, model])}`)

const cards = (await listInterfaces()).filter(({ mac }) => mac === '52:54:00:b1:00:02').map(({ name }) => name)
console.log(`PROBE lldp ${JSON.stringify(Object.values(await listenForLldp(cards, 60, realClock, log)))}`)

const loading = async (): Promise<string> => {
  const disk = disks.find(({ serial }) => serial === 'UKI-1')
  return disk ? loadKernelOf(disk, undefined).then(JSON.stringify, (error: Error) => error.message) : 'no disk'
}
if (!existsSync('/tmp/probed')) {
  console.log(`PROBE kexec ${await loading()}`)
  execFileSync('mount', ['-t', 'securityfs', 'securityfs', '/sys/kernel/security'])
  writeFileSync('/sys/kernel/security/lockdown', 'integrity')
  console.log(`PROBE kexec when locked down: ${await loading()}`)
}

const arrays = new Arrays(realClock)
const raiding = { clock: realClock, log, sysfs: '/sys', arrays, firmware: 'bios' as const }
const ofRaid = disks.filter(({ serial }) => serial?.startsWith('RAID-')).map(({ serial }) => ({ serial }))
const member = { controller: 'software', physical_disks: ofRaid }
const again = existsSync('/tmp/probed')
writeFileSync('/tmp/probed', '')
for (const raid_level of again ? [] : ['0', '1+0', '6']) {
  const mirror = { ...member, raid_level: '1', size_gb: 1, volume_name: 'mirror' }
  const other = { ...member, raid_level, size_gb: 'MAX', volume_name: 'other' }
  await createArrays({ logical_disks: [mirror, other] }, { properties: {} }, raiding)
  // What members are brought in step with is zeros, and takes the time of an emulated processor. Before there are arrays there is no such limit.
  writeFileSync('/proc/sys/dev/raid/speed_limit_max', '1000')
  const made = (await arrays.disks()).find(({ volume_name: volume }) => volume === 'other')
  const name = made?.name.split('/').at(-1) ?? 'none'
  const level = readFileSync(`/sys/block/${name}/md/level`, 'latin1').trim()
  console.log(`PROBE raid ${raid_level} ${level} ${made?.members?.length} ${(made?.size ?? 0) >> 20}`)
  writeFileSync(`/dev/${name}`, raid_level.padEnd(8192, '.'), { flag: 'r+' })
  const back = execFileSync('dd', [`if=/dev/${name}`, 'bs=4096', 'count=2', 'iflag=direct'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  console.log(
    `PROBE raid ${raid_level} ${back.equals(Buffer.from(raid_level.padEnd(8192, '.'))) ? 'reads' : 'differs'}`,
  )
  await deleteArrays({ properties: {} }, raiding)
  const left = (await arrays.all()).filter(({ members, holds }) => members !== undefined || holds !== undefined)
  console.log(`PROBE raid ${raid_level} left ${left.length}`)
}

const options = eraseOptions({ uuid: 'n', driver_internal_info: {}, properties: {} })
for (const disk of disks.filter(({ serial }) => !/^(RAID|UKI)-/.test(serial ?? '')))
  await eraseFully(disk, { clock: realClock, log, sysfs: '/sys' }, { options, progress: () => {} })
console.log('PROBE erased all')
process.exit(7)
