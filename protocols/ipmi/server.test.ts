import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPower, setPower } from './chassis.ts'
import { connect, type IpmiSession } from './client.ts'
import { TransportError } from './error.ts'
import { type RunningBmc, startBmc } from './server.ts'
import { type IpmiSocket, openIpmiSocket } from './socket.ts'
import { paperChassis } from './testing/paper-chassis.ts'

const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
const faults: unknown[] = []
let socket: IpmiSocket
let bmcs: RunningBmc[]

beforeEach(() => {
  socket = openIpmiSocket()
  bmcs = []
})
afterEach(async () => {
  await socket.close()
  await Promise.all(bmcs.map((bmc) => bmc.close()))
  expect(faults).toEqual([])
})

async function start(host: string, port = 0): Promise<RunningBmc> {
  const onError = (error: unknown): void => void faults.push(error)
  const bmc = await startBmc({ host, port, users, chassis: paperChassis(), onError })
  bmcs.push(bmc)
  return bmc
}

function open({ host, port }: RunningBmc): Promise<IpmiSession> {
  const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 30_000 } as const
  return connect({ socket, host, port, ...login })
}

test('one socket drives BMCs on IPv4 and IPv6, and keeps them apart', async () => {
  const sessions = await Promise.all(
    [start('127.0.0.1'), start('127.0.0.1'), start('::1')].map(async (b) => open(await b)),
  )
  await setPower(sessions[1]!, 'on')
  expect(await Promise.all(sessions.map((session) => readPower(session)))).toEqual(['off', 'on', 'off'])
  await Promise.all(sessions.map((session) => session.close()))
  expect(bmcs.map((bmc) => bmc.sessions().active)).toEqual([0, 0, 0])
})

test('a BMC is reached by its IPv6 address however it is written', async () => {
  const bmc = await start('::1')
  const session = await open({ ...bmc, host: '0:0:0:0:0:0:0:1' })
  expect(await readPower(session)).toBe('off')
  await session.close()
})

test('datagrams that are no IPMI are counted and change nothing', async () => {
  const bmc = await start('127.0.0.1')
  const stranger = createSocket('udp4')
  for (const bytes of ['', 'x', 'GET / HTTP/1.1\r\n\r\n']) stranger.send(bytes, bmc.port, '127.0.0.1')
  const session = await open(bmc)
  expect(await readPower(session)).toBe('off')
  await expect.poll(() => bmc.dropped()).toBe(3)
  stranger.close()
})

test('a port that is taken is an error at once', async () => {
  const other = createSocket('udp4').bind(0, '127.0.0.1')
  await once(other, 'listening')
  await expect(start('127.0.0.1', other.address().port)).rejects.toThrow(/EADDRINUSE/)
  other.close()
})

test('a session whose socket was closed fails at once, not at its deadline', async () => {
  const session = await open(await start('127.0.0.1'))
  await socket.close()
  await expect(readPower(session)).rejects.toThrow(TransportError)
})

test('a host name that cannot be is an error that names it', async () => {
  const nowhere = { ...(await start('127.0.0.1')), host: 'no such host' }
  await expect(open(nowhere)).rejects.toThrow(/BMC no such host:\d+, resolve host name/)
})
