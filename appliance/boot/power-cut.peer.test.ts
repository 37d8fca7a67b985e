import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { acquireLease, openClientChannel, renewLease } from '@bloomery/dhcp/client.ts'
import type { AcquiredLease, ClientIdentity } from '@bloomery/dhcp/client-machine.ts'
import { ipv4FromText, macFromBytes } from '@bloomery/wire/address.ts'
import { freePort } from '@bloomery/wire/free-port.ts'
import { decodeRecords, type LeaseRecord } from './lease-record.ts'

const KILLS = Number(process.env['POWER_CUTS'] ?? 20)
/** Four-way exchanges that end with an address given. */
const EXCHANGES = Number(process.env['POWER_CUT_EXCHANGES'] ?? 2_000)
const CLIENTS = 40
/** So many of the machines renew at the end; what is in the journal is checked of all. */
const RENEWALS = 4_000
const DEADLINE_MS = 480_000 + 10 * EXCHANGES
let dir: string
let server: ChildProcess | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'power-cut-'))
})
afterEach(async () => {
  await killed()
  rmSync(dir, { recursive: true })
})

async function killed(): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
}

test(
  `killed ${KILLS} times under load, it gives no address to two machines and forgets none that it gave`,
  async () => {
    const port = await freePort('udp')
    const channel = await openClientChannel({ host: '127.0.0.1', port: 0, server: { address: '127.0.0.1', port } })
    const program = new URL('peer-leases.ts', import.meta.url).pathname
    const start = (): void => {
      const argv = [program, join(dir, 'leases.journal'), `${port}`, `${channel.port}`]
      server = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] })
    }
    const reaches = (wanted: number): Promise<boolean> =>
      vi.waitUntil(
        () => {
          if (server?.exitCode != null) throw new Error(`the server ended with ${server.exitCode}`)
          return given.size >= wanted
        },
        { timeout: 60_000 + EXCHANGES, interval: 5 },
      )
    let xid = 0
    const timing = { xid: () => (xid += 1), now: Date.now, retry: [200, 200, 200] }
    const given = new Map<number, { mac: string; identity: ClientIdentity; lease: AcquiredLease }>()
    const twice: string[] = []
    let machines = 0
    const power = { fails: true }
    const client = async (): Promise<void> => {
      while (power.fails) {
        const serial = (machines += 1)
        const mac = macFromBytes(Uint8Array.of(2, 0, 0, serial >> 16, (serial >> 8) & 255, serial & 255))
        const identity = { mac, relay: ipv4FromText('127.0.0.1') }
        // One that is not answered in time gives up, as it would at a power cut.
        const lease = await acquireLease(channel, identity, timing).catch(() => undefined)
        if (lease === undefined) continue
        const other = given.get(lease.address)
        if (other !== undefined) twice.push(`${lease.address}: ${other.mac} and ${mac}`)
        given.set(lease.address, { mac, identity, lease })
      }
    }
    start()
    const clients = Array.from({ length: CLIENTS }, client)
    for (let kills = 0; kills < KILLS; kills += 1) {
      const wanted = Math.max(given.size + 1, Math.floor((EXCHANGES * kills) / KILLS)) // it is up, and busy
      await reaches(wanted)
      await sleep(Math.random() * 150)
      await killed()
      start()
    }
    await reaches(EXCHANGES)
    power.fails = false
    await Promise.all(clients)
    expect(twice).toEqual([])
    const written = new Map(decodeRecords(readFileSync(join(dir, 'leases.journal')).subarray(8)).map(held))
    const lost = [...given].filter(([address, { mac }]) => written.get(address) !== mac)
    expect(lost).toEqual([])
    const all = [...given.values()].slice(-RENEWALS)
    const renewals = all.length
    let kept = 0
    const renewing = async (): Promise<void> => {
      for (let each = all.pop(); each !== undefined; each = all.pop()) {
        const { identity, lease } = each
        const again = await renewLease(channel, identity, lease, { ...timing, retry: [5_000, 5_000, 5_000] })
        if (again.address === lease.address) kept += 1
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, renewing))
    expect(kept).toBe(renewals)
    if (KILLS > 20)
      console.log(`${KILLS} kills, ${given.size} addresses given, ${machines} tried, none twice, none lost`)
    await channel.close()
  },
  DEADLINE_MS,
)

function held(record: LeaseRecord): [address: number, mac: string] {
  return [record.address, record.state === 'bound' ? record.mac : '']
}
