import { UserError } from '../../contract/api/faults.ts'
import { type Address, bitsOf, type IpVersion, parseAddress, parsePrefix } from '../../contract/address.ts'
import type { TenantPort } from '../../contract/tenant-port.ts'

/** A port's extra DHCP options, by the names that dnsmasq has for them, as Neutron's users write them: to codes and bytes. Pure. */

export interface NamedOption {
  opt_name: string
  opt_value: string
  ip_version: IpVersion
}

type Encode = (value: string, version: IpVersion) => Uint8Array
type Table = Readonly<Record<string, [code: number, encode: Encode]>>

const bytesOf = ({ version, value }: Address): Buffer =>
  Buffer.from(value.toString(16).padStart(bitsOf(version) / 4, '0'), 'hex')
const words = (value: string): string[] => value.split(/[,\s]+/).filter((word) => word !== '')

const addresses: Encode = (value, version) => Buffer.concat(words(value).map((word) => address(word, version)))
function address(word: string, version: IpVersion): Uint8Array {
  const parsed = parseAddress(word.replace(/^\[(.*)\]$/, '$1'))
  if (parsed?.version !== version) throw new Error(`${word} is no IPv${version} address`)
  return bytesOf(parsed)
}
const text: Encode = (value) => Buffer.from(value, 'latin1')
const number =
  (size: 1 | 2 | 4): Encode =>
  (value) => {
    const given = /^\d+$/.test(value) ? Number(value) : Number.NaN
    if (!(given < 256 ** size)) throw new Error(`${value} is no number of ${size} bytes`)
    const bytes = Buffer.alloc(size)
    bytes.writeUIntBE(given, 0, size)
    return bytes
  }
/** RFC 1035 §3.1: labels, each after its length. */
const names: Encode = (value) =>
  Buffer.concat(
    words(value).map((name) => {
      const labels = name.replace(/\.$/, '').split('.')
      if (labels.some((label) => label.length === 0 || label.length > 63)) throw new Error(`${name} is no domain name`)
      return Buffer.concat([
        ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]),
        Buffer.of(0),
      ])
    }),
  )
/** RFC 3442, written as `10.9.0.0/16,10.0.0.254,…`. */
const routes: Encode = (value) => {
  const all = words(value)
  if (all.length % 2 !== 0) throw new Error('routes are pairs of network and router')
  return Buffer.concat(
    all.flatMap((word, at) => {
      if (at % 2 === 1) return [address(word, 4)]
      const prefix = parsePrefix(word)
      if (prefix?.version !== 4) throw new Error(`${word} is no IPv4 network`)
      const base = bytesOf({ version: 4, value: prefix.base })
      return [Buffer.of(prefix.length), base.subarray(0, Math.ceil(prefix.length / 8))]
    }),
  )
}
/** As dnsmasq reads them: `0a:00:01` are bytes, all else text. */
const anything: Encode = (value, version) =>
  /^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(value) ? Buffer.from(value.replaceAll(':', ''), 'hex') : text(value, version)

const of4: Table = {
  router: [3, addresses],
  'dns-server': [6, addresses],
  'log-server': [7, addresses],
  'domain-name': [15, text],
  'root-path': [17, text],
  mtu: [26, number(2)],
  'nis-domain': [40, text],
  'ntp-server': [42, addresses],
  'netbios-ns': [44, addresses],
  'vendor-encap': [43, anything],
  'tftp-server': [66, text],
  'tftp-server-address': [150, addresses],
  'bootfile-name': [67, text],
  'domain-search': [119, names],
  'classless-static-route': [121, routes],
  'posix-timezone': [100, text],
  'tzdb-timezone': [101, text],
}
const of6: Table = {
  'dns-server': [23, addresses],
  'domain-search': [24, names],
  'sntp-server': [31, addresses],
  'information-refresh-time': [32, number(4)],
  'bootfile-url': [59, text],
}
/** What makes a lease, and the conversation about it. */
const protocols: Readonly<Record<IpVersion, ReadonlySet<number>>> = {
  4: new Set([0, 1, 12, 28, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 77, 82, 93, 97, 255]),
  6: new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 18, 19, 20, 25, 26, 79]),
}

/** Throws UserError, which says what is wrong with it. */
export function encodeOption({ opt_name, opt_value, ip_version: version }: NamedOption): TenantPort['options'][number] {
  const table = version === 4 ? of4 : of6
  const wrong = (why: string): UserError =>
    new UserError(400, `Invalid input for extra_dhcp_opts. Reason: ${opt_name}: ${why}.`)
  const numbered = /^(?:option6?:)?(\d{1,5})$/.exec(opt_name)?.[1]
  const found = Object.hasOwn(table, opt_name) ? table[opt_name] : undefined
  const code = found?.[0] ?? Number(numbered ?? 0)
  if (!found && (code === 0 || code > (version === 4 ? 254 : 65_535)))
    throw wrong(`there is no such option; there are ${Object.keys(table).join(', ')}, and any by its number`)
  if (protocols[version].has(code)) throw wrong('DHCP itself says that')
  try {
    const value = Buffer.from((found?.[1] ?? anything)(opt_value, version))
    if (value.length > 255) throw new Error('it is longer than 255 bytes')
    return { version, code, value: value.toString('hex') }
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : 'it is malformed')
  }
}
