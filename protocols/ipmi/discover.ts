import { WireError } from '@bloomery/wire/error.ts'
import { type CipherSuiteId, preferredSuites, readCipherSuiteRecords } from './cipher-suite.ts'
import { type Command, decodeWith, encodeWith } from './command.ts'
import { getChannelAuthCapabilities, getChannelCipherSuites, THIS_CHANNEL } from './commands.ts'
import { MalformedAnswer, NoRmcpPlus, TransportTimeout } from './error.ts'
import { exchange, type Patience, type Peer, subjectOf } from './exchange.ts'
import { BMC_ADDRESS, CONSOLE_ADDRESS, decodeMessage, encodeMessage } from './message.ts'
import { encodePacket } from './packet.ts'

/** What the BMC says it takes; `offered` is undefined when it doesn't say. */
export interface Discovery {
  candidates: readonly CipherSuiteId[]
  offered?: readonly number[]
}

/** 64 blocks of 16 bytes is all that the 6-bit index can name (IPMI 2.0 §22.15.1). */
const BLOCK = 16
const LAST_INDEX = 0x3f
/** A BMC that is up but ignores the cipher suite query must not eat the time for logging in. */
const QUERY_SHARE = 0.25

/** Which suites to try, best first, before there is a session. Some BMCs refuse the query, and some lists are incomplete: a BMC
 * that lists none that we speak is still tried, and its own refusal decides. */
export async function discoverCipherSuites(peer: Peer, privilege: number, patience: Patience): Promise<Discovery> {
  const channel = { number: THIS_CHANNEL, extended: true }
  const capabilities = await ask(peer, patience, getChannelAuthCapabilities, { channel, privilege })
  if (!capabilities?.types.extended || !capabilities.extended.ipmi20) {
    throw new NoRmcpPlus(subjectOf(peer, getChannelAuthCapabilities.name))
  }
  const offered = await readCipherSuites(peer, patience)
  const known = offered && preferredSuites.filter((id) => offered.includes(id))
  return { candidates: known?.length ? known : preferredSuites, offered }
}

async function readCipherSuites(peer: Peer, patience: Patience): Promise<number[] | undefined> {
  const now = peer.clock.now()
  const share: Patience = { ...patience, deadline: now + (patience.deadline - now) * QUERY_SHARE }
  const blocks: Uint8Array[] = []
  try {
    for (let index = 0; index <= LAST_INDEX; index += 1) {
      const list = { index, bySuite: true }
      const block = await ask(peer, share, getChannelCipherSuites, { channel: THIS_CHANNEL, payloadType: 0, list })
      if (!block) break
      blocks.push(block.records.subarray(0, BLOCK))
      if (block.records.length < BLOCK) break
    }
    return blocks.length > 0 ? readCipherSuiteRecords(Buffer.concat(blocks)) : undefined
  } catch (error) {
    if (error instanceof TransportTimeout || error instanceof MalformedAnswer || error instanceof WireError)
      return undefined
    throw error
  }
}

/** A command outside any session, in IPMI 1.5 wrapping, which every BMC understands. Undefined when the BMC declines it. */
async function ask<Q, R>(peer: Peer, patience: Patience, command: Command<Q, R>, request: Q): Promise<R | undefined> {
  const sequence = (peer.random(1)[0] ?? 0) & 0x3f
  const { netFn, code, name: operation } = command
  const header = { netFn, command: code, sequence, to: BMC_ADDRESS, from: CONSOLE_ADDRESS }
  const payload = encodeMessage({ ...header, data: encodeWith(command.request, request) })
  const packet = encodePacket({ format: '1.5', authType: 0, sequence: 0, sessionId: 0, payload })
  const data = await exchange(peer, patience, {
    operation,
    sessionId: 0,
    make: () => packet,
    match: (answer) => {
      if (answer.format !== '1.5') return undefined
      const message = decodeMessage(answer.payload)
      const fits = message.netFn === netFn + 1 && message.command === code && message.sequence === sequence
      return fits ? message.data : undefined
    },
  })
  if (data[0] !== 0) return undefined
  try {
    return decodeWith(command.response, data.subarray(1))
  } catch (error) {
    throw error instanceof WireError ? new MalformedAnswer(subjectOf(peer, operation), error) : error
  }
}
