import { HardwareError } from '../hardware-error.ts'

/** The administration protocol of tgtd, as its own tool speaks it over a Unix socket: one request and one reply a connection. That tool takes
 * secrets on its command line, where everybody on the machine reads them; we don't.
 *
 *   mode u32 | op u32 | driver char[64] | len u32 | tid i32 | sid u64 | lun u64 | cid u32 | host u32 | type u32 | direction u32 | pack u32 | force u32
 *   then parameters, `key=value,…`, ended by a zero; `len` counts both. Integers are the machine's own, little-endian where we run. */

export const modes = { target: 1, device: 2, portal: 3, account: 7 } as const
export const ops = { new: 0, delete: 1, show: 2, bind: 3, update: 5 } as const

export interface AdminRequest {
  mode: keyof typeof modes
  op: keyof typeof ops
  tid?: number
  lun?: number
  force?: boolean
  parameters?: Record<string, string>
}

const HEADER = 120
const REPLY_HEADER = 8

export function encodeRequest({ mode, op, tid = -1, lun = 0, force = false, parameters }: AdminRequest): Buffer {
  const words = Object.entries(parameters ?? {}).map(([key, value]) => {
    // eslint-disable-next-line no-control-regex -- a zero would end the parameters
    if (/[,\0]/.test(value)) throw new HardwareError(`tgtd takes no ${key} that holds a comma`)
    return `${key}=${value}`
  })
  const text = words.length > 0 ? Buffer.from(`${words.join(',')}\0`) : Buffer.alloc(0)
  const bytes = Buffer.alloc(HEADER + text.length)
  bytes.writeUInt32LE(modes[mode], 0)
  bytes.writeUInt32LE(ops[op], 4)
  bytes.write('iscsi', 8, 'latin1')
  bytes.writeUInt32LE(bytes.length, 72)
  bytes.writeInt32LE(tid, 76)
  bytes.writeBigUInt64LE(BigInt(lun), 88)
  bytes.writeUInt32LE(force ? 1 : 0, 116)
  text.copy(bytes, HEADER)
  return bytes
}

/** The text that came back. Throws where tgtd refuses; `undefined` while bytes are missing. */
export function decodeReply(bytes: Buffer, what: string): string {
  if (bytes.length < REPLY_HEADER) throw new HardwareError(`tgtd broke off while it was to ${what}`)
  const code = bytes.readUInt32LE(0)
  if (code !== 0) throw new HardwareError(`tgtd refuses to ${what}: ${refusals[code] ?? `error ${code}`}`)
  const end = Math.min(bytes.readUInt32LE(4), bytes.length)
  return bytes.toString('utf8', REPLY_HEADER, Math.max(end, REPLY_HEADER)).replace(/\0+$/, '')
}

const refusals: Readonly<Record<number, string>> = {
  2: 'it has no memory left',
  4: 'there is no such target',
  5: 'there is no such unit',
  9: 'the target exists',
  11: 'the unit exists',
  14: 'the account exists',
  15: 'there is no such account',
  17: 'it does not understand the request',
  19: 'the target is in use',
  22: 'it does not know the parameter',
}

/** A target as `show` tells of it. */
export interface ShownTarget {
  tid: number
  name: string
  /** Of its units, without the controller. */
  paths: string[]
  accounts: string[]
  initiators: string[]
}

export function readTargets(text: string): ShownTarget[] {
  return text.split(/^(?=Target \d+: )/m).flatMap((block) => {
    const [, tid, name] = /^Target (\d+): (\S+)/.exec(block) ?? []
    if (tid === undefined || name === undefined) return []
    const paths = [...block.matchAll(/^ +Backing store path: (.+)$/gm)].map((each) => each[1] ?? '')
    return [
      {
        tid: Number(tid),
        name,
        paths: paths.filter((path) => path !== 'None'),
        accounts: listed(block, 'Account information'),
        initiators: listed(block, 'ACL information'),
      },
    ]
  })
}

/** The lines below a heading, which stand further in than it. */
function listed(block: string, heading: string): string[] {
  const [, lines = ''] = new RegExp(`^ {4}${heading}:\\n((?: {8}.*\\n?)*)`, 'm').exec(block) ?? []
  return lines
    .split('\n')
    .map((line) => line.trim().split(' ')[0] ?? '')
    .filter((word) => word !== '')
}

export function readAccounts(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
