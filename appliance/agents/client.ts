import { request } from 'node:https'
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

/** HTTPS to the agent's own API (reference §6.4). The token goes in the query, as Ironic's does; it is in no error text. */
export function httpsAgentClient(): AgentClient {
  return {
    async command(to, name, params, wait, signal) {
      const path = `/v1/commands/?wait=${wait}&agent_token=${encodeURIComponent(to.token)}`
      return commandResult.parse(await call(to, 'POST', path, `command ${name}`, signal, { name, params }))
    },
    async commands(to, signal) {
      const path = `/v1/commands/?agent_token=${encodeURIComponent(to.token)}`
      return commandList.parse(await call(to, 'GET', path, 'list of commands', signal)).commands
    },
  }
}

function call(
  to: AgentAddress,
  method: string,
  path: string,
  what: string,
  signal: AbortSignal,
  body?: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (text: string, cause?: unknown): void =>
      reject(new HardwareError(`agent at ${to.url}: ${what}: ${text}`, { cause }))
    const text = body === undefined ? undefined : JSON.stringify(body)
    const ask = request(
      new URL(path, to.url),
      {
        method,
        ca: to.certificate,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        agent: false,
        timeout: ANSWER_MS,
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
          const json = parse(Buffer.concat(chunks).toString('utf8'))
          const status = reply.statusCode ?? 0
          if (status >= 200 && status < 300) return resolve(json)
          const fault = agentFault.safeParse(json)
          const why = fault.success ? fault.data.faultstring : `HTTP ${status}`
          reject(new AgentRefusal(`agent at ${to.url}: ${what}: ${why}`))
        })
      },
    )
    ask.on('timeout', () => ask.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)))
    ask.on('error', (error) => fail(error.message))
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
