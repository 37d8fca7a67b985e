import { WireError } from '@bloomery/wire/error.ts'
import { sendMessage, TRACKED } from './bridge-commands.ts'
import { encodeWith } from './command.ts'
import { BMC_ADDRESS, CONSOLE_ADDRESS, decodeMessage, encodeMessage, type Message } from './message.ts'

interface Hop {
  channel: number
  address: number
}

/** A controller behind the BMC (IPMI 2.0 §6.13): a blade's behind its chassis', say; behind another one, its `transit`. */
export interface Bridge {
  target: Hop
  transit?: Hop | undefined
  /** From which address the transit is to ask; that of a BMC, if none is given. */
  local?: number | undefined
}

type Asked = Pick<Message, 'netFn' | 'lun' | 'command' | 'sequence' | 'data'>

/** How a request is addressed, and which answer is its. */
export interface Route {
  write(asked: Asked): Uint8Array
  /** Undefined or a WireError: not the answer, go on listening. `by`: a controller on the way declined to hand it on. */
  read(message: Message, asked: Asked): { data: Uint8Array; by?: string } | undefined
}

export const direct: Route = {
  write: (asked) => encodeMessage({ ...asked, to: BMC_ADDRESS, from: CONSOLE_ADDRESS }),
  read: (message, asked) => (answers(message, asked) ? { data: message.data } : undefined),
}

export function bridged({ target, transit, local = BMC_ADDRESS }: Bridge): Route {
  const hops = transit ? [transit, target] : [target]
  return {
    write: (asked) => {
      const message = hops.toReversed().reduce<Asked & { to: number }>(
        (inner, { channel, address }, at) => {
          // What the BMC itself hands on is from us, beyond that it is from a controller, as ipmitool has it.
          const from = at === hops.length - 1 ? CONSOLE_ADDRESS : local
          const bytes = encodeMessage({ ...inner, to: address, from })
          const data = encodeWith(sendMessage.request, { to: { channel, tracking: TRACKED }, message: bytes })
          const { netFn, code: command } = sendMessage
          return { netFn, command, sequence: asked.sequence, data, to: BMC_ADDRESS }
        },
        { ...asked, to: target.address },
      )
      return encodeMessage({ ...message, to: BMC_ADDRESS, from: CONSOLE_ADDRESS })
    },
    read: (message, asked) => readBridged(message, asked, hops.length),
  }
}

/** The answer itself, or in those of as many controllers as there are on the way. */
function readBridged(message: Message, asked: Asked, hops: number): ReturnType<Route['read']> {
  if (answers(message, asked)) return { data: message.data }
  const { netFn, code: command, name: by } = sendMessage
  if (hops === 0 || !answers(message, { ...asked, netFn, command })) return undefined
  const [completion] = message.data
  if (completion === undefined) throw new WireError('there is no completion code')
  if (completion !== 0) return { data: message.data, by }
  return message.data.length === 1 ? undefined : readBridged(decodeMessage(message.data.subarray(1)), asked, hops - 1)
}

function answers(answer: Message, { netFn, command, sequence }: Asked): boolean {
  return answer.netFn === netFn + 1 && answer.command === command && answer.sequence === sequence
}
