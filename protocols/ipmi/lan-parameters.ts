import { WireError } from '@bloomery/wire/error.ts'
import { bits, bytes, type Codec, ipv4, mac, rest, struct, text, uint16, uint8 } from './fields.ts'
import { parameter } from './parameter.ts'

/** IPMI 2.0 table 23-4: the LAN configuration of a channel. */
export const phases = { complete: 0, inProgress: 1, commit: 2 } as const
export const setInProgress = parameter(0, struct({ state: bits({ phase: [0, 2] }) }))

const types = { none: 0, md2: 1, md5: 2, straight: 4, oem: 5 } as const
export const authenticationSupport = parameter(1, struct({ types: bits(types) }))
export const authenticationEnables = parameter(
  2,
  struct({
    callback: bits(types),
    user: bits(types),
    operator: bits(types),
    administrator: bits(types),
    oem: bits(types),
  }),
)
export const address = parameter(3, ipv4)

export const addressSources = { unspecified: 0, static: 1, dhcp: 2, firmware: 3, other: 4 } as const
export const addressSource = parameter(4, struct({ source: bits({ from: [0, 4] }) }))

export const macAddress = parameter(5, mac)
export const subnetMask = parameter(6, ipv4)
/** Time to live, flags, precedence and type of service of what the BMC sends. */
export const ipv4Header = parameter(7, bytes(3))
export const primaryPort = parameter(8, uint16)
export const arp = parameter(10, struct({ control: bits({ gratuitous: 0, responses: 1 }) }))
/** In half seconds. */
export const gratuitousArpInterval = parameter(11, uint8)
export const gateway = parameter(12, ipv4)
export const gatewayMac = parameter(13, mac)
export const backupGateway = parameter(14, ipv4)
export const backupGatewayMac = parameter(15, mac)
/** Sent in the clear with alerts. */
export const community = parameter(16, text(18))
export const destinations = parameter(17, uint8)

/** The id is there also while tags are switched off. */
const vlanTag: Codec<{ id: number; tagged: boolean }> = {
  read: (reader) => {
    const word = reader.u16le()
    const [id, tagged] = [word & 0xfff, (word & 0x8000) !== 0]
    if (tagged && !isVlan(id)) throw new WireError(`VLAN ${id} is not between 1 and 4094`)
    return { id, tagged }
  },
  write: (writer, { id, tagged }) => {
    if (tagged && !isVlan(id)) throw new RangeError(`VLAN ${id} is not between 1 and 4094`)
    writer.u16le(tagged ? id | 0x8000 : id)
  },
}
function isVlan(id: number): boolean {
  return Number.isInteger(id) && id >= 1 && id <= 4094
}
export const vlan = parameter(20, vlanTag)
export const vlanPriority = parameter(21, struct({ priority: bits({ level: [0, 3] }) }))
export const suiteCount = parameter(22, uint8)
/** A reserved byte, then the numbers of the cipher suites. */
export const suiteEntries = parameter(23, rest)
/** A reserved byte, then a nibble for each of those: the most privilege that it gives. */
export const suitePrivileges = parameter(24, bytes(9))
export const badPasswordThreshold = parameter(
  26,
  struct({
    report: bits({ toUser: 0 }),
    threshold: uint8,
    /** In tens of seconds; 0: never by themselves. */
    forgetAfter: uint16,
    lockedFor: uint16,
  }),
)
