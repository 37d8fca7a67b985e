import { type Message, plain, sentenceOf } from './messages.ts'

/** Where a BMC is and what was asked of it. Never holds a password. */
export interface Subject {
  /** Host and port, as its owner gave them. */
  host: string
  operation: string
}

/** Some errors quote the BMC, which may say anything at any length. */
const LONGEST_PROBLEM = 700

/** Anything that went wrong with a BMC. The subclass says whose fault it is. */
export class RedfishError extends Error {
  readonly host: string
  readonly operation: string

  constructor(subject: Subject, problem: string, options?: ErrorOptions) {
    super(`BMC ${subject.host}, ${subject.operation}: ${plain(problem, LONGEST_PROBLEM)}`, options)
    this.name = new.target.name
    this.host = subject.host
    this.operation = subject.operation
  }
}

/** Silence, refusal or a broken connection: the network, the address, or a BMC that is down. */
export class Unreachable extends RedfishError {
  constructor(subject: Subject, problem: string, seconds: number, cause?: unknown) {
    super(subject, `${problem} within ${seconds} s; check its address, and that HTTPS is enabled on it`, { cause })
  }
}

export class TlsRefused extends RedfishError {
  constructor(subject: Subject, problem: string) {
    super(
      subject,
      `${problem}; renew the certificate on the BMC, give the CA that signed it, or do without verification`,
    )
  }
}

export class IncorrectCredentials extends RedfishError {
  constructor(subject: Subject, username: string) {
    super(subject, `user ${JSON.stringify(username)} or its password is not accepted (HTTP 401); correct them`)
  }
}

/** The BMC understood and declined. */
export class RequestRefused extends RedfishError {
  readonly status: number
  readonly messages: readonly Message[]

  constructor(subject: Subject, status: number, messages: readonly Message[], secrets: readonly string[]) {
    const said = withoutSecrets(sentenceOf(messages), secrets)
    super(subject, `HTTP ${status}${said && `, "${said}"`}; ${remedyFor(status)}`)
    this.status = status
    this.messages = messages
  }

  says(id: string): boolean {
    return this.messages.some((message) => message.id === id)
  }
}

/** The BMC has not what was asked for: a resource, an action, a value. */
export class NotOffered extends RedfishError {}

/** The BMC answered something that the specification doesn't allow. */
export class MalformedAnswer extends RedfishError {
  constructor(subject: Subject, problem: string) {
    super(subject, `${problem}, which is not Redfish; check that the address is a BMC's, and its firmware's version`)
  }
}

/** What the BMC began did not end well, or not in time. */
export class TaskFailed extends RedfishError {
  constructor(subject: Subject, state: string, messages: readonly Message[], secrets: readonly string[]) {
    const said = withoutSecrets(sentenceOf(messages), secrets)
    super(subject, `the BMC's task ended in state ${state}${said && `, "${said}"`}; see the BMC's log`)
  }
}

export class ConnectionClosed extends RedfishError {
  constructor(subject: Subject) {
    super(subject, 'the connection is closed')
  }
}

const remedies: Readonly<Record<number, string>> = {
  403: 'give this account the privilege for it, or another account',
  404: 'check the system id and whether the firmware of this BMC has it',
  405: 'this BMC does not allow it; update its firmware or do it another way',
  409: 'the state of the machine forbids it at the moment; look at the machine and try again',
  412: 'somebody else changed the settings at the same time; try again',
  428: 'the BMC asks for an ETag that it does not tell; update its firmware',
  429: 'the BMC has too many requests; ask it less often',
}

function remedyFor(status: number): string {
  const remedy = remedies[status]
  if (remedy !== undefined) return remedy
  if (status >= 500) return 'try again, and restart the BMC if that does not help'
  if (status >= 300 && status < 400) return 'use the address that it redirects to'
  return "update the BMC's firmware, or report this as a quirk of it"
}

/** BMCs quote what they refuse, and that may be a password. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length > 2).reduce((left, secret) => left.replaceAll(secret, '******'), text)
}
