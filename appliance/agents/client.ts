import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { z } from 'zod'
import { agentFault, commandList, commandResult, type CommandResult } from '../../contract/agent.ts'
import { HardwareError } from '../hardware-error.ts'
import { connectPinned } from './pinned.ts'

const ANSWER_MS = 60_000 // Ironic: [agent] command_timeout
const LIMIT = 8 * 1024 * 1024

/** Where an agent listens, and the certificate that it showed the door: the only one trusted for it. */
export interface AgentAddress {
  url: string
  token: string
  certificate: string | undefined
}

/** The calls that a site makes to an agent. */
export interface AgentClient {
  command(
    to: AgentAddress,
    name: string,
    params: Record<string, unknown>,
    wait: boolean,
    signal: AbortSignal,
  ): Promise<CommandResult>
  commands(to: AgentAddress, signal: AbortSignal): Promise<CommandResult[]>
}

/** The agent refused: it will not change its mind by asking again. */
export class AgentRefusal extends HardwareError {}

/** It executes another command, and takes none beside it: it may be asked again. */
export class AgentBusy extends HardwareError {}

/** HTTPS to the agent's own API (reference §6.4). The token goes in the query, as Ironic's does; it is in no error text. */
export function httpsAgentClient(answerMs = ANSWER_MS): AgentClient {
  return {
    async command(to, name, params, wait, signal) {
      const path = `/v1/commands/?wait=${wait}&agent_token=${encodeURIComponent(to.token)}`
      const what = `command ${name}`
      return understood(
        to,
        what,
        commandResult,
        await call(to, { method: 'POST', path, what, body: { name, params } }, answerMs, signal),
      )
    },
    async commands(to, signal) {
      const path = `/v1/commands/?agent_token=${encodeURIComponent(to.token)}`
      const what = 'list of commands'
      return understood(to, what, commandList, await call(to, { method: 'GET', path, what }, answerMs, signal)).commands
    },
  }
}

interface Call {
  method: 'GET' | 'POST'
  path: string
  /** For errors. */
  what: string
  body?: unknown
}

function understood<T>(to: AgentAddress, what: string, schema: z.ZodType<T>, reply: unknown): T {
  const parsed = schema.safeParse(reply)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HardwareError(
    `agent at ${to.url}: ${what}: its reply is not understood: ${issue?.path.join('.') || 'body'}: ${issue?.message}`,
  )
}

/** Connection and reply are to be there in this time. */
async function call(
  to: AgentAddress,
  { method, path, what, body }: Call,
  answerMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  const failed = (text: string, cause?: unknown): HardwareError =>
    new HardwareError(`agent at ${to.url}: ${what}: ${text}`, { cause })
  const over = new AbortController()
  const late = setTimeout(() => over.abort(new Error(`no answer within ${answerMs / 1000} s`)), answerMs)
  const stop = AbortSignal.any([signal, over.signal])
  try {
    const { hostname, port } = new URL(to.url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket = await connectPinned({ host, port: Number(port || 443), certificate: to.certificate, signal: stop })
    const reply = await ask(socket, new URL(path, to.url), method, body, stop)
    const json = parse(reply.text)
    if (reply.status >= 200 && reply.status < 300) return json
    const fault = agentFault.safeParse(json)
    const why = fault.success ? fault.data.faultstring : `HTTP ${reply.status}`
    const Refusal = reply.status === 409 ? AgentBusy : AgentRefusal
    throw new Refusal(`agent at ${to.url}: ${what}: ${why}`)
  } catch (error) {
    if (error instanceof HardwareError) throw error
    const { message, cause } = (over.signal.aborted ? over.signal.reason : error) as Error
    throw failed(message, cause)
  } finally {
    clearTimeout(late)
  }
}

function ask(
  socket: TLSSocket,
  url: URL,
  method: Call['method'],
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, signal, createConnection: () => socket }, (reply) => {
      const chunks: Buffer[] = []
      let size = 0
      reply.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LIMIT) asking.destroy(new Error(`reply larger than ${LIMIT} bytes`))
        else chunks.push(chunk)
      })
      reply.on('error', (cause) => reject(new Error('the connection broke', { cause })))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
    })
    asking.on('error', reject)
    asking.end(text)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
