import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type IpaCommand, IpaError } from './commands.ts'

interface Result {
  id: string
  command_name: string
  command_status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CLEAN_VERSION_MISMATCH'
  command_error: null | { type: string; code: number; message: string; details: string }
  command_result: unknown
}

export interface IpaApiOptions {
  table: Record<string, Record<string, IpaCommand>>
  token: string
  pem: { certificate: string; privateKey: string }
  /** An asynchronous command has ended: the next heartbeat comes early. */
  finished(): void
}

/** The agent's own API (reference §6.4), with every status and body that callers may meet. */
export class IpaApi {
  readonly #options: IpaApiOptions
  readonly #server: Server
  readonly #results: { result: Result; done: Promise<void> }[] = []
  private constructor(options: IpaApiOptions) {
    this.#options = options
    const { certificate: cert, privateKey: key } = options.pem
    this.#server = createServer(
      { cert, key, minVersion: 'TLSv1.3' },
      (request, reply) => void this.#answer(request, reply),
    )
  }

  static async start(options: IpaApiOptions): Promise<IpaApi> {
    const api = new IpaApi(options)
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  get given(): string[] {
    return this.#results.map(({ result }) => result.command_name)
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown): void =>
      void reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    try {
      send(200, await this.#route(request))
    } catch (error) {
      const known = error instanceof IpaError
      const status = known ? error.code : 500
      send(status, { faultcode: status < 500 ? 'Client' : 'Server', faultstring: (error as Error).message })
    }
  }

  async #route(request: IncomingMessage): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://agent')
    if (request.method === 'GET' && pathname === '/v1/status') return { started_at: 1.5, version: '11.2.0' }
    const command = /^\/v1\/commands\/([^/]+)?$/.exec(pathname)
    if (!command) throw new IpaError('NotFound', 404, `Not found: ${pathname}`)
    if (searchParams.get('agent_token') !== this.#options.token)
      throw new IpaError('Unauthorized', 401, 'Token invalid.')
    const wait = searchParams.get('wait') === 'true'
    if (request.method === 'GET') return this.#shown(command[1], wait)
    if (request.method !== 'POST') throw new IpaError('MethodNotAllowed', 405, 'Method not allowed')
    return this.#execute(await bodyOf(request), wait)
  }

  async #shown(id: string | undefined, wait: boolean): Promise<unknown> {
    if (id === undefined) return { commands: this.#results.map(({ result }) => result) }
    const found = this.#results.find(({ result }) => result.id === id)
    if (!found) throw new IpaError('RequestedObjectNotFoundError', 404, `Command with id ${id} not found.`)
    if (wait) await found.done
    return found.result
  }

  async #execute(
    { name, params }: { name?: unknown; params?: Record<string, unknown> },
    wait: boolean,
  ): Promise<Result> {
    if (typeof name !== 'string' || params === undefined)
      throw new IpaError('InvalidContentError', 400, 'Missing or invalid name or params')
    const [extension = '', short = ''] = name.split('.')
    const last = this.#results.at(-1)?.result
    if (last?.command_status === 'RUNNING')
      throw new IpaError('AgentIsBusy', 409, `Agent is busy: executing command ${last.command_name}`)
    const commands = this.#options.table[extension]
    if (!commands) throw new IpaError('RequestedObjectNotFoundError', 404, `Extension with id ${extension} not found.`)
    const command = commands[short]
    if (!command) throw new IpaError('InvalidCommandError', 400, `Unknown command: ${short}`)
    const result: Result = {
      id: randomUUID(),
      command_name: short,
      command_status: 'RUNNING',
      command_error: null,
      command_result: null,
    }
    const done = this.#run(result, command, params)
    this.#results.push({ result, done })
    if (wait || !command.asynchronous) await done
    return { ...result }
  }

  async #run(result: Result, { asynchronous, takes, run }: IpaCommand, params: Record<string, unknown>): Promise<void> {
    try {
      const strange = takes.includes('…') ? undefined : Object.keys(params).find((key) => !takes.includes(key))
      if (strange !== undefined) throw new TypeError(`got an unexpected keyword argument '${strange}'`)
      const value = await run(params)
      const lead = asynchronous ? `${result.command_name}: ` : ''
      result.command_result = typeof value === 'string' ? { result: lead + value } : (value ?? null)
      result.command_status = 'SUCCEEDED'
    } catch (error) {
      const { message, name } = error as Error
      const [type, code] = error instanceof IpaError ? [error.type, error.code] : [name, 500]
      result.command_error = { type, code, message: 'Command execution failed', details: message }
      result.command_status = type === 'VersionMismatch' ? 'CLEAN_VERSION_MISMATCH' : 'FAILED'
    }
    if (asynchronous) this.#options.finished()
  }
}

async function bodyOf(request: IncomingMessage): Promise<{ name?: unknown; params?: Record<string, unknown> }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as { name?: unknown }
  } catch {
    throw new IpaError('InvalidContentError', 400, 'Request body is not JSON')
  }
}
