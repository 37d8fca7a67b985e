import { isIPv6 } from 'node:net'
import type { IpmiDevice } from './ipmi-device.ts'

/** Where the BMC is in the network, under ironic-python-agent's keys. */
export interface BmcPlace {
  bmc_address: string
  bmc_v6address: string
  bmc_mac: string | null
}

const APP = 0x06
const GET_CHANNEL_INFO = 0x42
const TRANSPORT = 0x0c
const GET_LAN_CONFIGURATION = 0x02
/** IPMI 2.0 table 6-3: a channel of this medium is Ethernet. */
const LAN = 0x04
/** Table 23-4. */
const parameters = { address: 3, mac: 5, v6static: 56, v6dynamic: 59 }
const LAST_CHANNEL = 11
const V6_ADDRESSES = 4

/** What ironic-python-agent says where there is none. */
const nowhere: BmcPlace = { bmc_address: '0.0.0.0', bmc_v6address: '::/0', bmc_mac: null }

/** The first LAN channel that has an address. */
export async function bmcPlace(device: Pick<IpmiDevice, 'ask'>): Promise<BmcPlace> {
  let found = nowhere
  for (let channel = 1; channel <= LAST_CHANNEL; channel += 1) {
    const info = await asked(device, APP, GET_CHANNEL_INFO, [channel])
    if (!info || (info[1]! & 0x7f) !== LAN) continue
    found = await placeOn(device, channel)
    if (found.bmc_address !== nowhere.bmc_address || found.bmc_v6address !== nowhere.bmc_v6address) return found
  }
  return found
}

async function placeOn(device: Pick<IpmiDevice, 'ask'>, channel: number): Promise<BmcPlace> {
  const read = async (parameter: number, set = 0): Promise<Buffer | undefined> =>
    // The first byte is the parameter's revision.
    (await asked(device, TRANSPORT, GET_LAN_CONFIGURATION, [channel, parameter, set, 0]))?.subarray(1)
  const [address, mac] = [await read(parameters.address), await read(parameters.mac)]
  return {
    bmc_address: address?.length === 4 ? address.join('.') : nowhere.bmc_address,
    bmc_mac: mac?.length === 6 && mac.some((byte) => byte !== 0) ? mac.toString('hex').match(/../g)!.join(':') : null,
    bmc_v6address: (await v6Address(read)) ?? nowhere.bmc_v6address,
  }
}

/** Static ones first. Set selector, kind, address, length of prefix, status. */
async function v6Address(
  read: (parameter: number, set: number) => Promise<Buffer | undefined>,
): Promise<string | undefined> {
  for (const parameter of [parameters.v6static, parameters.v6dynamic])
    for (let set = 0; set < V6_ADDRESSES; set += 1) {
      const told = await read(parameter, set)
      if (!told || told.length < 19) break
      const bytes = told.subarray(2, 18)
      const text = shortest(bytes)
      // Link-local ones are of no use to who is not on the link (RFC 4291 §2.5.6).
      if (bytes.some((byte) => byte !== 0) && !text.startsWith('fe80:') && isIPv6(text)) return text
    }
  return undefined
}

/** RFC 5952, as URL does it. */
function shortest(bytes: Buffer): string {
  const groups = bytes.toString('hex').match(/.{4}/g)!.join(':')
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1)
}

/** Undefined: the BMC has no such thing (its completion code is not 0). */
async function asked(
  device: Pick<IpmiDevice, 'ask'>,
  netFn: number,
  command: number,
  data: readonly number[],
): Promise<Buffer | undefined> {
  const reply = await device.ask(netFn, command, data)
  return reply[0] === 0 && reply.length > 2 ? reply.subarray(1) : undefined
}
