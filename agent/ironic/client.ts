import { z } from 'zod'
import { heartbeatMicroversion, lookupMicroversion, lookupReply } from '../../contract/agent.ts'
import type { Heartbeat, LookupReply } from '../../contract/agent.ts'
import { ask, type Trust } from '../http.ts'

/** The agent's own certificate may be sent since 1.68; before 1.31 there was no version in the root document. */
const oldest = '1.31'
const withCertificates = '1.68'

const rootDocument = z.looseObject({ default_version: z.looseObject({ version: z.string().regex(/^\d+\.\d+$/) }) })

const toldNode = z.looseObject({ uuid: z.uuid() })

export interface Discovered {
  base: string
  version: string
  /** The agent may serve https, for the API can be told its certificate. */
  takesCertificate: boolean
  /** The server's clock, in milliseconds, if it says: a server's own may be years off. */
  date?: number
}

export class ApiError extends Error {
  readonly status: number

  constructor(what: string, status: number, body: Buffer) {
    super(`${what} was answered ${status}: ${body.toString('utf8').slice(0, 300)}`)
    this.name = 'ApiError'
    this.status = status
  }
}

/** The requests that an agent makes of the API. */
export class IronicClient {
  readonly #trust: Trust
  readonly #seconds: number

  constructor(trust: Trust, seconds: number) {
    this.#trust = trust
    this.#seconds = seconds
  }

  async discover(base: string): Promise<Discovered> {
    const answer = await ask(this.#trust, { url: `${base}/`, headers: plain, seconds: this.#seconds })
    if (answer.status !== 200) throw new ApiError(`GET ${base}/`, answer.status, answer.body)
    const { version } = rootDocument.parse(JSON.parse(answer.body.toString('utf8'))).default_version
    if (isOlder(version, oldest)) throw new Error(`${base} speaks ${version}; this agent needs ${oldest} or newer`)
    const date = Date.parse(answer.headers.date ?? '')
    return {
      base,
      version,
      takesCertificate: !isOlder(version, withCertificates),
      date: Number.isNaN(date) ? undefined : date,
    }
  }

  /** `node`: what this machine was told that it is. */
  async lookup({ base, version }: Discovered, addresses: readonly string[], node?: string): Promise<LookupReply> {
    const named = node === undefined ? '' : `&node_uuid=${node}`
    const url = `${base}/v1/lookup?addresses=${addresses.join(',')}${named}`
    const headers = { ...plain, 'x-openstack-ironic-api-version': lesser(version, lookupMicroversion) }
    const answer = await ask(this.#trust, { url, headers, seconds: this.#seconds })
    if (answer.status !== 200) throw new ApiError('lookup', answer.status, answer.body)
    return lookupReply.parse(JSON.parse(answer.body.toString('utf8')))
  }

  /** POST /v1/continue_inspection as ironic-python-agent does it: without a microversion, answered 202 with the node that it
   * is (reference §6.9). */
  async tell(url: string, findings: Record<string, unknown>): Promise<string | undefined> {
    const headers = { ...plain, 'content-type': 'application/json' }
    const body = JSON.stringify(findings)
    const answer = await ask(this.#trust, { url, method: 'POST', headers, body, seconds: this.#seconds })
    if (answer.status < 200 || answer.status > 299)
      throw new ApiError('what the inspection found', answer.status, answer.body)
    return toldNode.safeParse(jsonOf(answer.body)).data?.uuid
  }

  async heartbeat({ base, version }: Discovered, node: string, beat: Heartbeat): Promise<void> {
    const headers = {
      ...plain,
      'content-type': 'application/json',
      'x-openstack-ironic-api-version': lesser(version, heartbeatMicroversion),
    }
    const body = JSON.stringify(beat)
    const url = `${base}/v1/heartbeat/${node}`
    const answer = await ask(this.#trust, { url, method: 'POST', headers, body, seconds: this.#seconds })
    if (answer.status !== 202) throw new ApiError('heartbeat', answer.status, answer.body)
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

const plain = { accept: 'application/json', 'user-agent': 'bloomery-agent' }

export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number)
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}

function lesser(one: string, other: string): string {
  return isOlder(one, other) ? one : other
}
