import { maskedToken, minimumTokenLength, type LookupReply } from '../../contract/agent.ts'
import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { ApiError, type Discovered, type IronicClient } from './client.ts'

/** The node's token was given to another boot of this ramdisk: whoever we are, we must not act on its behalf. */
export class TokenTaken extends Error {
  constructor(node: string) {
    super(`node ${node}: its token was already given to another agent; power-cycle the server to obtain a new one`)
    this.name = 'TokenTaken'
  }
}

export interface Found {
  api: Discovered
  reply: LookupReply
  token: string
}

export interface LookupMeans {
  client: IronicClient
  clock: Clock
  log: Log
  apiUrls: readonly string[]
  /** Read anew each time: a network card may turn up late. */
  addresses: () => Promise<string[]>
  /** What the inspection was answered that this machine is. */
  node?: string
  /** A token placed with us before we booted. */
  token?: string
  seconds: number
  interval: number
}

const longestPause = 60
/** A node that is locked is being worked upon: each time, it is left alone for longer. */
const pausesWhenLocked = [5, 10, 30]

/** Asks who this server is until the API knows it, or until the deadline. */
export async function lookUp(means: LookupMeans): Promise<Found> {
  const { clock, log } = means
  const deadline = clock.now() + means.seconds * 1000
  let locked = 0
  for (let attempt = 0; ; attempt++) {
    const base = means.apiUrls[attempt % means.apiUrls.length]
    if (base === undefined) throw new Error('no API to look up at: ipa-api-url is empty')
    let pause = Math.min(longestPause, means.interval * 2 ** Math.min(attempt, 16)) * (0.5 + clock.random())
    try {
      const api = await means.client.discover(base)
      const addresses = await means.addresses()
      const reply = await means.client.lookup(api, addresses, means.node)
      return { api, reply, token: tokenOf(reply, means.token) }
    } catch (error) {
      if (error instanceof TokenTaken) throw error
      if (error instanceof ApiError && error.status === 409)
        pause += pausesWhenLocked[Math.min(locked++, pausesWhenLocked.length - 1)] ?? 0
      const left = deadline - clock.now()
      if (left <= pause * 1000)
        throw new Error(`no lookup succeeded within ${means.seconds} s; the last one failed`, { cause: error })
      log.warn('lookup failed', { api: base, because: reason(error), again_in_s: Math.round(pause) })
    }
    await clock.sleep(Math.min(longestPause, pause) * 1000)
  }
}

function tokenOf(reply: LookupReply, own: string | undefined): string {
  const given = reply.config.agent_token
  if (given === maskedToken) {
    if (own === undefined) throw new TokenTaken(reply.node.uuid)
    return own
  }
  if (given.length < minimumTokenLength)
    throw new Error(`the API gave a token of ${given.length} characters; at least ${minimumTokenLength} are safe`)
  return given
}
