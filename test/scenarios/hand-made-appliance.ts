import { readFile } from 'node:fs/promises'
import { connectAsync } from 'mqtt'
import { createClient } from '../../contract/api/client.ts'
import { downlink, type Command, type Report, type Uplink } from '../../contract/messages.ts'
import { plan as planSchema, type Plan } from '../../contract/plan.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { topics } from '../../contract/topics.ts'
import { newRequest } from '../contracts/certificate-request.ts'
import type { Served } from './bloomery-process.ts'

export interface Enrolled {
  uuid: string
  name: string
  key: string
  cert: string
}

/** Joins a site as an appliance does, over the API. */
export async function enrol({ endpoint }: Pick<Served, 'endpoint'>, site: string, name: string): Promise<Enrolled> {
  const client = createClient({ endpoint })
  const { token } = await client.sites.createToken(site)
  const { csr, privateKey } = await newRequest()
  const sealing_key = newSealingKey().publicKey
  const { appliance, certificate } = await client.enrol({ token, name, csr, sealing_key })
  return { uuid: appliance, name, key: privateKey, cert: certificate }
}

export interface HandMade {
  commands: Command[]
  /** Highest number of reports that the cloud said to have. */
  received(): number
  alive(hello: boolean): Promise<void>
  /** Resolves when the broker has acknowledged. */
  report(...reports: Report[]): Promise<void>
  close(): Promise<void>
}

/** The appliance's side of the bus by hand: what it says is up to the test. */
export async function connectByHand({ broker, authorities }: Served, enrolled: Enrolled): Promise<HandMade> {
  const { uuid, key, cert } = enrolled
  const ca = await readFile(authorities, 'utf8')
  const client = await connectAsync(broker, { clientId: uuid, key, cert, ca, reconnectPeriod: 0 })
  // A cloud that is killed breaks the line, in whichever way; what isn't acknowledged tells it.
  client.on('error', () => {})
  const commands: Command[] = []
  let received = 0
  client.on('message', (_, payload) => {
    const message = downlink.parse(JSON.parse(payload.toString()))
    if (message.kind === 'received') received = message.reports_through
    if (message.kind === 'commands')
      for (const command of message.commands) if (!commands.some(({ id }) => id === command.id)) commands.push(command)
  })
  await client.subscribeAsync(topics.down(uuid), { qos: 1 })
  const publish = async (message: Uplink): Promise<void> => {
    await client.publishAsync(topics.up(uuid), JSON.stringify(message), { qos: 1 })
  }
  return {
    commands,
    received: () => received,
    alive: (hello) => {
      const commands_through = Math.max(0, ...commands.map(({ seq }) => seq))
      return publish({
        v: 1,
        kind: 'alive',
        at: new Date().toISOString(),
        software: 'by hand',
        commands_through,
        hello,
        refresh: [],
      })
    },
    report: (...reports) => publish({ v: 1, kind: 'reports', reports }),
    close: () => client.endAsync(true),
  }
}

/** The plan of the newest `run`; those of these tests are small enough to travel in the message. */
export function planOf({ commands }: HandMade): Plan {
  const last = commands.findLast((command) => command.kind === 'run')
  if (!last) throw new Error('no plan has arrived')
  return planSchema.parse(last.plan)
}
