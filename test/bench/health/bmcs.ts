import { startBmc } from '@bloomery/ipmi/server.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { drawn, fruBytes, records } from '@bloomery/ipmi/testing/paper-inventory.ts'
import { startRedfish } from '@bloomery/redfish/server.ts'
import { paperMachine } from '@bloomery/redfish/testing/paper-machine.ts'

/** A BMC of each kind in a process of its own, so that the bench counts the appliance's side alone. Ends with its standard input. */
const SENSORS = Number(process.argv[2])
const [record] = records
if (!record) throw new Error('no record to copy')
const onError = (error: unknown): void => console.error(error)

/** Where a record keeps the number of its sensor (IPMI 2.0 §43.1). */
const NUMBER_AT = 7
const sensors = Array.from({ length: SENSORS }, (_, index) => {
  const copy = new Uint8Array(record)
  copy[NUMBER_AT] = index + 1
  return { record: copy, read: () => Promise.resolve({ raw: 67, states: 0 }) }
})
const ipmi = await startBmc({
  host: '127.0.0.1',
  port: 0,
  users: [{ name: 'admin', password: 'secret', privilege: 'administrator' }],
  chassis: paperChassis(),
  inventory: { sensors, fru: fruBytes(), power: () => Promise.resolve(drawn) },
  onError,
})
const redfish = await startRedfish({
  host: '127.0.0.1',
  port: 0,
  users: [{ name: 'admin', password: 'secret' }],
  machine: paperMachine(),
  onError,
})
console.log(JSON.stringify({ ipmi: ipmi.port, redfish: redfish.url }))
process.stdin.resume().on('end', () => void Promise.all([ipmi.close(), redfish.close()]))
