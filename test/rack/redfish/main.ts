import { readFile } from 'node:fs/promises'
import { startRedfish } from '@bloomery/redfish/server.ts'
import { z } from 'zod'
import { qemuMachine } from './qemu-machine.ts'

/** The Redfish BMC of one server of the QEMU rack: `node main.ts SETTINGS`, a file because it holds a password. */

const settings = z.object({
  chassis: z.array(z.string()),
  name: z.string(),
  uuid: z.string(),
  mac: z.string(),
  address: z.string(),
  port: z.int(),
  /** The file in the server's CD drive. */
  drive: z.string(),
  username: z.string(),
  password: z.string(),
  key: z.string(),
  certificate: z.string(),
})

const of = settings.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')))
await startRedfish({
  host: of.address,
  port: of.port,
  users: [{ name: of.username, password: of.password }],
  machine: qemuMachine(of.chassis, { uuid: of.uuid, name: of.name, nics: [{ mac: of.mac }], drives: [] }, of.drive),
  tls: { key: of.key, cert: of.certificate },
  onError: (error) => console.error(error),
})
console.log('listening')
