import { afterEach, expect, test } from 'vitest'
import { ipv4FromText, ipv4ToText, macFromBytes } from '@bloomery/wire/address.ts'
import { acquireLease, openClientChannel, releaseLease, renewLease, type ClientChannel } from './client.ts'
import { releaseMessage } from './client-machine.ts'
import type { Answer, Facts } from './decision.ts'
import { LeaseTable } from './lease-table.ts'
import type { ForeignServer } from './rogue.ts'
import { startDhcpServer, type DhcpServer, type DhcpServerOptions } from './server.ts'

const ip = ipv4FromText
const subnet = {
  network: ip('127.0.0.0'),
  prefix: 8,
  serverAddress: ip('127.0.0.1'),
  first: ip('127.9.0.0'),
  last: ip('127.9.255.255'),
  dns: [],
  leaseSeconds: 600,
}
const noLease = { address: 0, server: 0, leaseSeconds: 0, nextServer: 0, bootFile: '', options: new Map() }
let xid = 0
const timing = { xid: () => (xid += 1), now: Date.now, retry: [200, 400, 800, 4_000, 8_000] }
/** Where each message counts: on loopback none is lost, but a busy machine may take long. */
const patient = { ...timing, retry: [15_000] }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** On loopback a client stands behind a relay: replies go to the relay's port, which any user may bind. */
async function site(
  change: Partial<DhcpServerOptions> = {},
): Promise<{ server: DhcpServer; channel: ClientChannel; log: Facts[]; errors: Error[] }> {
  const target = { address: '127.0.0.1', port: 0 }
  const channel = await openClientChannel({ host: '127.0.0.1', port: 0, server: target })
  closing.push(() => channel.close())
  const log: Facts[] = []
  const errors: Error[] = []
  const server = await startDhcpServer({
    host: '127.0.0.1',
    port: 0,
    relayPort: channel.port,
    subnets: [subnet],
    leases: new LeaseTable([subnet]),
    answer: () => ({ serve: true, because: 'test', boot: { server: ip('127.0.0.1'), file: 'x.efi' } }),
    reservedFor: () => undefined,
    now: Date.now,
    onDecision: (facts) => log.push(facts),
    onError: (error) => errors.push(error),
    ...change,
  })
  closing.push(() => server.stop())
  target.port = server.port
  return { server, channel, log, errors }
}

function machine(index: number): { mac: string; relay: number } {
  return { mac: macFromBytes(Uint8Array.of(0x52, 0x54, 0, 1, index >> 8, index & 0xff)), relay: ip('127.0.0.1') }
}

test('two hundred clients at once get an address each', async () => {
  const { channel, log, errors } = await site()
  const leases = await Promise.all(
    Array.from({ length: 200 }, (_, index) => acquireLease(channel, machine(index), timing)),
  )
  expect(new Set(leases.map(({ address }) => address)).size).toBe(200)
  expect(leases[0]).toMatchObject({ bootFile: 'x.efi', leaseSeconds: 600, server: ip('127.0.0.1') })
  expect(log.filter(({ reply }) => reply === 'ack').length).toBeGreaterThanOrEqual(200)
  expect(errors).toEqual([])
})

test('a client renews its lease and, having released it, gets it again', async () => {
  const { channel, log } = await site()
  const lease = await acquireLease(channel, machine(1), patient)
  expect((await renewLease(channel, machine(1), lease, patient)).address).toBe(lease.address)
  releaseLease(channel, machine(1), lease, patient)
  await expect.poll(() => log.at(-1)?.request).toBe('release')
  expect((await acquireLease(channel, machine(1), patient)).address).toBe(lease.address)
  expect(log.map(({ request, reply }) => `${request} ${reply}`)).toEqual([
    'discover offer',
    'request ack',
    'request ack',
    'release none',
    'discover offer',
    'request ack',
  ])
})

test('a reply leaves only after its lease is durable, and many leases share one commit', async () => {
  const table = new LeaseTable([subnet])
  let commits = 0
  let durable = new Set<number>()
  const acked: boolean[] = []
  const leases = {
    byAddress: (address: number) => table.byAddress(address),
    byMac: (mac: string) => table.byMac(mac),
    free: table.free.bind(table),
    stage: table.stage.bind(table),
    commit: async () => {
      commits += 1
      const staged = [...Array(200).keys()].flatMap((index) => table.byMac(machine(index).mac))
      await new Promise((done) => setTimeout(done, 40))
      durable = new Set(staged.filter(({ state }) => state === 'bound').map(({ address }) => address))
    },
  }
  const onDecision = ({ reply, address = '' }: Facts): void => {
    if (reply === 'ack') acked.push(durable.has(ip(address)))
  }
  const { channel } = await site({ leases, onDecision })
  await Promise.all(Array.from({ length: 100 }, (_, index) => acquireLease(channel, machine(index), timing)))
  expect(acked.length).toBeGreaterThanOrEqual(100)
  expect(acked.every(Boolean)).toBe(true)
  expect(commits).toBeLessThan(60)
})

test('when leases cannot be stored, nobody gets one, and the error says so', async () => {
  const table = new LeaseTable([subnet])
  table.commit = () => Promise.reject(new Error('disk full'))
  const { channel, errors } = await site({ leases: table })
  await expect(acquireLease(channel, machine(1), { ...timing, retry: [30, 30] })).rejects.toThrow(
    'no DHCP lease: no answer to 2 messages while requesting',
  )
  expect(errors[0]?.message).toBe('1 replies withheld: leases could not be stored')
})

test('a client that is refused says who refused it and why', async () => {
  const { channel } = await site()
  const lease = { ...noLease, address: ip('127.0.0.9') }
  await expect(renewLease(channel, machine(1), lease, timing)).rejects.toThrow(
    `refused by 127.0.0.1: ${ipv4ToText(lease.address)} is not free for this client`,
  )
})

test('a message from a network that is not ours is an error that names the client, and the server goes on', async () => {
  const { channel, errors } = await site()
  const stranger = { mac: '52:54:00:00:00:01', relay: ip('10.0.0.1') }
  await expect(acquireLease(channel, stranger, { ...timing, retry: [30] })).rejects.toThrow('no answer')
  expect(errors[0]?.message).toBe('52:54:00:00:00:01 asks by way of 10.0.0.1, where no subnet is configured')
  await acquireLease(channel, machine(1), timing)
})

test('of two addresses the one where a stranger answers is kept out, and the other is offered', async () => {
  const answer = (): Answer => ({ serve: true, because: 'unknown', probe: true })
  const hostAt = (address: number): Promise<string | undefined> =>
    Promise.resolve(address === subnet.first ? '52:54:00:99:99:99' : undefined)
  const { channel, log } = await site({ answer, hostAt })
  const lease = await acquireLease(channel, machine(1), timing)
  expect(ipv4ToText(lease.address)).toBe('127.9.0.1')
  expect(log[0]?.because).toContain('52:54:00:99:99:99 answers at 127.9.0.0')
  const second = await acquireLease(channel, machine(2), timing)
  expect(ipv4ToText(second.address)).toBe('127.9.0.2')
})

test('a client that chooses another server is news of that server', async () => {
  const found: ForeignServer[] = []
  const { channel } = await site({ onForeignServer: (server) => found.push(server) })
  const identity = { ...machine(1), options: new Map([[54, Uint8Array.of(10, 0, 0, 66)]]) }
  await expect(acquireLease(channel, identity, { ...timing, retry: [30] })).rejects.toThrow('no answer')
  expect(found).toEqual([])
  const release = releaseMessage(identity, { ...noLease, server: ip('10.0.0.66') }, 1)
  channel.send({ ...release, options: new Map([...identity.options, [53, Uint8Array.of(3)]]) })
  await expect.poll(() => found).toEqual([{ server: '10.0.0.66', how: 'chosen by a client', mac: identity.mac }])
})

test('a lease query is answered to the relay that may ask, and to nobody else', async () => {
  const { channel, log, errors } = await site({ leaseQueriers: new Set([ip('127.0.0.1')]) })
  const mac = '52:54:00:00:00:aa'
  const lease = await acquireLease(channel, { mac, relay: ip('127.0.0.1') }, timing)
  const query = (giaddr: string) => {
    const release = releaseMessage({ mac, relay: ip(giaddr) }, { ...noLease, address: lease.address }, 4711)
    return { ...release, giaddr: ip(giaddr), options: new Map([[53, Uint8Array.of(10)]]) }
  }
  channel.send(query('127.0.0.66'))
  await expect.poll(() => errors.map(({ message }) => message).join()).toContain('127.0.0.66, which may not ask')
  channel.send(query('127.0.0.1'))
  await expect.poll(() => log.at(-1)?.reply).toBe('leaseactive')
})
