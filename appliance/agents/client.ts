import { request } from 'node:https'
import type { z } from 'zod'
import { agentFault, commandList, commandResult, type CommandResult } from '../../contract/agent.ts'
import { HardwareError } from '../hardware-error.ts'

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

/** It executes another command; refused for now. */
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

function call(
  to: AgentAddress,
  { method, path, what, body }: Call,
  answerMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => ask.destroy(new Error(`no answer within ${answerMs / 1000} s`)), answerMs)
    const fail = (text: string, cause?: unknown): void => {
      clearTimeout(late)
      reject(new HardwareError(`agent at ${to.url}: ${what}: ${text}`, { cause }))
    }
    const text = body === undefined ? undefined : JSON.stringify(body)
    const ask = request(
      new URL(path, to.url),
      {
        method,
        ca: to.certificate,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        agent: false,
        signal,
        headers:
          text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (reply) => {
        const chunks: Buffer[] = []
        let size = 0
        reply.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > LIMIT) ask.destroy(new Error(`reply larger than ${LIMIT} bytes`))
          else chunks.push(chunk)
        })
        reply.on('error', (error) => fail('the connection broke', error))
        reply.on('end', () => {
          clearTimeout(late)
          const json = parse(Buffer.concat(chunks).toString('utf8'))
          const status = reply.statusCode ?? 0
          if (status >= 200 && status < 300) return resolve(json)
          const fault = agentFault.safeParse(json)
          const why = fault.success ? fault.data.faultstring : `HTTP ${status}`
          const Refusal = status === 409 ? AgentBusy : AgentRefusal
          reject(new Refusal(`agent at ${to.url}: ${what}: ${why}`))
        })
      },
    )
    ask.on('error', (error) => fail(error.message, error.cause))
    ask.end(text)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
