const MOST = 8_192

/**
 * Which card has which IPv6 address, as DHCPv6 gave them. No lease tells: an address is a function of its client. Lost by a restart and
 * bounded, so nobody may be refused for not being in it.
 */
export interface Addresses6 {
  learn(address: string, mac: string): void
  macAt(address: string): string | undefined
}

export function openAddresses6(): Addresses6 {
  const macs = new Map<string, string>()
  return {
    learn(address, mac) {
      macs.delete(address)
      macs.set(address, mac)
      const oldest = macs.keys().next().value
      if (macs.size > MOST && oldest !== undefined) macs.delete(oldest)
    },
    macAt: (address) => macs.get(address),
  }
}
