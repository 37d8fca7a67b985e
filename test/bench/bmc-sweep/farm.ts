import { randomBytes, randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBmc } from '@bloomery/ipmi/server.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { startRedfish } from '@bloomery/redfish/server.ts'
import { selfSigned } from '@bloomery/redfish/testing/certificate.ts'
import { paperMachine } from '@bloomery/redfish/testing/paper-machine.ts'
import { protocolOf, SLOW_MS, temperOf, type Temper } from './temper.ts'

/** Many BMCs in a process of their own: `farm.ts N` tells their addresses over its channel, then flips power as it is told, and ends with it. */
export type ToFarm = { flip: number[] }
export type FromFarm = { addresses: string[] } | { flipped: number[] }

const count = Number(process.argv[2])
const tls = selfSigned(1)
const states: ('on' | 'off')[] = Array.from({ length: count }, (_, index) => (index % 3 === 0 ? 'off' : 'on'))
const admin = { name: 'admin', password: 'paper-secret' }
const onError = (error: unknown): void => console.error(error)

async function power(index: number, temper: Temper): Promise<'on' | 'off'> {
  if (temper === 'slow') await sleep(SLOW_MS)
  if (temper === 'contradicting') return Math.random() < 0.5 ? 'on' : 'off'
  return states[index]!
}

async function start(index: number): Promise<string> {
  const temper = temperOf(index)
  // Loopback is a /8: each hundred has an address of its own.
  const host = `127.${30 + (process.pid % 64)}.${index >> 14}.${1 + ((index >> 7) & 127)}`
  if (protocolOf(index) === 'ipmi')
    return temper === 'dead' || temper === 'rubbish' ? badIpmi(host, temper) : ipmi(host)
  return temper === 'dead' || temper === 'rubbish' ? badRedfish(host, temper) : redfish(host)

  async function ipmi(host: string): Promise<string> {
    const chassis = { ...paperChassis(), power: () => power(index, temper) }
    const users = [{ ...admin, privilege: 'administrator' as const }]
    const { port } = await startBmc({ host, port: 0, users, chassis, onError })
    return `${host}:${port}`
  }

  async function redfish(host: string): Promise<string> {
    const base = paperMachine()
    const machine = {
      ...base,
      facts: { ...base.facts, uuid: randomUUID() },
      power: async () => ((await power(index, temper)) === 'on' ? ('On' as const) : ('Off' as const)),
    }
    return (await startRedfish({ host, port: 0, users: [admin], machine, tls, onError })).url
  }
}

async function badIpmi(host: string, temper: Temper): Promise<string> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => void socket.bind(0, host, resolve))
  if (temper === 'rubbish')
    socket.on('message', (bytes, from) => socket.send(randomBytes(bytes.length), from.port, from.address))
  return `${host}:${socket.address().port}`
}

/** One that takes connections and says nothing, or nothing of sense. */
async function badRedfish(host: string, temper: Temper): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (temper === 'rubbish')
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\u0000{"a'))
    else socket.resume()
  })
  await new Promise<void>((resolve) => void server.listen(0, host, resolve))
  return `http://${host}:${(server.address() as AddressInfo).port}`
}

const tell = (message: FromFarm): void => void process.send!(message)
process.on('message', ({ flip }: ToFarm) => {
  for (const index of flip) states[index] = states[index] === 'on' ? 'off' : 'on'
  tell({ flipped: flip })
})
process.on('disconnect', () => process.exit())
const addresses: string[] = []
for (let index = 0; index < count; index += 1) addresses.push(await start(index))
tell({ addresses })
