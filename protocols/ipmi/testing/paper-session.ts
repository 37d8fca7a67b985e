import type { BmcOptions } from '../bmc-options.ts'
import { createBmc } from '../bmc.ts'
import { connect, type ConnectOptions, type IpmiSession } from '../client.ts'
import { type PaperChassis, paperChassis } from './paper-chassis.ts'
import { paperInventory } from './paper-inventory.ts'
import { type PaperNet, paperNet } from './paper-net.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 5000 } as const
const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const

/** A BMC of paper, with an inventory and a LAN configuration, and an administrator's session with it, on virtual time. */
export interface PaperSession {
  clock: VirtualClock
  chassis: PaperChassis
  net: PaperNet
  session: IpmiSession
  /** Another session. */
  open(changes?: Partial<ConnectOptions>): Promise<IpmiSession>
}

export async function paperSession(changes: Partial<BmcOptions> = {}): Promise<PaperSession> {
  const clock = virtualClock()
  const chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const lan = { address: '10.1.2.3', mask: '255.255.255.0', gateway: '10.1.2.254', mac: '52:54:00:00:00:01' }
  const options = { users, chassis, inventory: paperInventory(), lan, clock, ipmi15: true, onError, ...changes }
  const net = paperNet(createBmc(options))
  const open = (how: Partial<ConnectOptions> = {}): Promise<IpmiSession> =>
    clock.run(connect({ socket: net, host: '127.0.0.1', port: 623, clock, ...login, ...how }))
  return { clock, chassis, net, session: await open(), open }
}
