import type { Answer } from './answer.ts'
import {
  IncorrectCredentials,
  MalformedAnswer,
  RedfishError,
  RequestRefused,
  type Subject,
  Unreachable,
} from './error.ts'
import { textAt } from './json.ts'

export type AuthMode = 'basic' | 'session' | 'auto'

/** What a request is sent with. A session's token may be refused later, when the BMC has forgotten it. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly session?: { path: string | undefined }
}

export interface LoginOptions {
  username: string
  password: string
  mode: AuthMode
  subject: Subject
  /** POSTs to the collection of sessions, without credentials; rejects with a RedfishError. */
  createSession(body: unknown): Promise<Answer>
}

/** A header's value, and no means to add another header. */
const TOKEN = /^[\x21-\x7e]{1,2048}$/

/** Logs in once, however many requests ask at the same time, and again when told that the BMC has forgotten. */
export class Login {
  readonly #options: LoginOptions
  #current: Promise<Credentials> | undefined
  #basicOnly: boolean

  constructor(options: LoginOptions) {
    this.#options = options
    this.#basicOnly = options.mode === 'basic'
  }

  async credentials(): Promise<Credentials> {
    const current = (this.#current ??= this.#logIn())
    try {
      return await current
    } catch (error) {
      if (this.#current === current) this.#current = undefined
      throw error
    }
  }

  /** False when there is nothing to renew: a password that is refused once is not tried again, for the BMC may count. */
  async forget(refused: Credentials): Promise<boolean> {
    if (!refused.session) return false
    const held = await this.#current?.catch(() => undefined)
    if (held === refused) this.#current = undefined
    return true
  }

  /** The session that is open, for closing it. */
  async held(): Promise<Credentials | undefined> {
    return this.#current?.catch(() => undefined)
  }

  async #logIn(): Promise<Credentials> {
    if (this.#basicOnly) return this.#basic()
    const { username, password, mode, subject } = this.#options
    try {
      const answer = await this.#options.createSession({ UserName: username, Password: password })
      const token = answer.token
      if (token === undefined || !TOKEN.test(token)) throw new MalformedAnswer(subject, 'a new session without a token')
      return {
        headers: { 'x-auth-token': token },
        session: { path: answer.location ?? textAt(answer.body, '@odata.id') },
      }
    } catch (error) {
      if (mode === 'session' || !mayDoWithout(error)) throw error
      this.#basicOnly = !isFull(error)
      return this.#basic()
    }
  }

  #basic(): Credentials {
    const { username, password } = this.#options
    return { headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` } }
  }
}

/** A BMC without sessions, or with none left. A wrong password is wrong in any case, and silence is silence. */
function mayDoWithout(error: unknown): boolean {
  return error instanceof RedfishError && !(error instanceof IncorrectCredentials) && !(error instanceof Unreachable)
}

function isFull(error: unknown): boolean {
  return error instanceof RequestRefused && (error.status === 503 || error.says('SessionLimitExceeded'))
}
