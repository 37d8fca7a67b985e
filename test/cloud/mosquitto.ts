import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { globSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@bloomery/wire/free-port.ts'
import { connectAsync, type MqttClient } from 'mqtt'
import type { Authority } from './authority.ts'
import { startChild } from './child.ts'

const ADMIN = 'cloud'
const CONTROL = '$CONTROL/dynamic-security/v1'
const ANSWER_MS = 30_000

/** What a holder of a certificate may do. */
export interface Rights {
  publish: string[]
  subscribe: string[]
}

export interface Mosquitto {
  /** host:port, for TLS with a client certificate. */
  address: string
  /** The cloud's own connection, over loopback, which may do everything. */
  cloud: MqttClient
  allow(commonName: string, rights: Rights): Promise<void>
  /** Ends its connections too. */
  forbid(commonName: string): Promise<void>
  stop(): Promise<void>
}

/** Mosquitto in IoT Core's place: who may do what is decided per certificate, and changed while it runs. */
export async function startMosquitto(authority: Authority): Promise<Mosquitto> {
  const home = await mkdtemp(join(tmpdir(), 'bloomery-mosquitto-'))
  const [tls, plain] = [await freePort(), await freePort()]
  const password = randomBytes(18).toString('base64url')
  const { certificate, privateKey } = await authority.server()
  const files = {
    'ca.pem': authority.certificate,
    'server.pem': certificate,
    'server.key': privateKey,
    'security.json': JSON.stringify(security(password)),
    'mosquitto.conf': configuration(home, tls, plain),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text, { mode: 0o600 })
  const child = await startChild(['mosquitto', '-c', join(home, 'mosquitto.conf')], /mosquitto version .* running/)
  const cloud = await connectAsync({ host: '127.0.0.1', port: plain, username: ADMIN, password, protocolVersion: 5 })
  const control = await controlled(cloud)
  return {
    address: `localhost:${tls}`,
    cloud,
    allow: (commonName, { publish, subscribe }) =>
      control([
        {
          command: 'createRole',
          rolename: commonName,
          acls: [
            ...publish.map((topic) => ({ acltype: 'publishClientSend', topic, allow: true })),
            ...subscribe.map((topic) => ({ acltype: 'subscribeLiteral', topic, allow: true })),
          ],
        },
        { command: 'createClient', username: commonName, roles: [{ rolename: commonName }] },
      ]),
    forbid: (commonName) =>
      control([
        { command: 'deleteClient', username: commonName },
        { command: 'deleteRole', rolename: commonName },
      ]),
    async stop() {
      await cloud.endAsync(true)
      await child.stop()
      await rm(home, { recursive: true })
    },
  }
}

/** The broker answers commands of its security plugin in the order in which they came. */
async function controlled(client: MqttClient): Promise<(commands: object[]) => Promise<void>> {
  const waiting: Array<(answer: string) => void> = []
  client.on('message', (topic, payload) => {
    if (topic === `${CONTROL}/response`) waiting.shift()?.(payload.toString())
  })
  await client.subscribeAsync(`${CONTROL}/response`, { qos: 1 })
  return async (commands) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const late = setTimeout(() => reject(new Error(`the broker did not answer within ${ANSWER_MS} ms`)), ANSWER_MS)
    waiting.push(resolve)
    await client.publishAsync(CONTROL, JSON.stringify({ commands }), { qos: 1 })
    const answer = await promise.finally(() => clearTimeout(late))
    const { responses } = JSON.parse(answer) as { responses: Array<{ error?: string }> }
    const error = responses.find((each) => each.error)
    if (error) throw new Error(`the broker refused: ${JSON.stringify(error)}`)
  }
}

function configuration(home: string, tls: number, plain: number): string {
  return `user root
log_dest stderr
plugin ${plugin()}
plugin_opt_config_file ${home}/security.json
max_packet_size 131072
listener ${tls} 127.0.0.1
cafile ${home}/ca.pem
certfile ${home}/server.pem
keyfile ${home}/server.key
require_certificate true
use_identity_as_username true
listener ${plain} 127.0.0.1
`
}

/** Debian keeps it in a directory named after the machine's architecture. */
function plugin(): string {
  const [found] = globSync('/usr/lib/{,*/}mosquitto_dynamic_security.so')
  if (!found) throw new Error('mosquitto_dynamic_security.so is not below /usr/lib: apt-get install mosquitto')
  return found
}

function security(password: string): object {
  const salt = randomBytes(12)
  const iterations = 101
  const all = ['publishClientSend', 'publishClientReceive', 'subscribePattern', 'unsubscribePattern']
  const acls = all.flatMap((acltype) => ['#', '$CONTROL/#'].map((topic) => ({ acltype, topic, allow: true })))
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    roles: [{ rolename: ADMIN, acls }],
    clients: [
      {
        username: ADMIN,
        password: pbkdf2Sync(password, salt, iterations, 64, 'sha512').toString('base64'),
        salt: salt.toString('base64'),
        iterations,
        roles: [{ rolename: ADMIN }],
      },
    ],
  }
}
