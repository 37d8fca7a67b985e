import { lookup as resolve, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** People say where webhooks go and images come from, and the cloud connects: so not into our own networks, and not to where clouds keep credentials. */
export interface AddressGuard {
  /** Whether this address may be connected to. */
  allows(address: string): boolean
  /** For a socket: what it connects to is what was checked, whatever a second answer would be. */
  lookup: LookupFunction
}

/** IANA's special-purpose registry of IPv4 (RFC 6890), multicast, and what is reserved. */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Of IPv6 only global unicast is public, less protocol assignments and tunnels, which may hide an IPv4 address, and documentation. */
const global6 = ['2000::/3']
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

export function addressGuard(networks: readonly string[] = []): AddressGuard {
  const [own, special, global] = [listOf(networks), listOf([...special4, ...special6]), listOf(global6)]
  const allows = (address: string): boolean => {
    const family = isIP(address)
    // A zone (RFC 4007 §11) is only good for link-local addresses.
    if (family === 0 || address.includes('%')) return false
    const type = family === 4 ? 'ipv4' : 'ipv6'
    if (own.check(address, type)) return true
    return !special.check(address, type) && (family === 4 || global.check(address, type))
  }
  const checked = (host: string, addresses: LookupAddress[]): Error | undefined => {
    const bad = addresses.find(({ address }) => !allows(address))
    return bad && new Error(`${host} is at ${bad.address}, which the cloud may not reach`)
  }
  return {
    allows,
    lookup(host, options, done) {
      resolve(host, { ...options, all: true }, (error, addresses) => {
        const refusal = error ?? checked(host, addresses)
        const [first] = addresses ?? []
        if (refusal || !first) done(refusal ?? new Error(`${host} has no address`), '')
        else if (options.all) done(null, addresses)
        else done(null, first.address, first.family)
      })
    },
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
