import { completionRemedy, completionText } from './completion-code.ts'
import { statusRemedy, statusText } from './status-code.ts'

/** Where a BMC is and what was asked of it. Never holds a password. */
export interface Subject {
  host: string
  port: number
  operation: string
}

/** Anything that went wrong with a BMC. The subclass says whose fault it is. */
export class IpmiError extends Error {
  readonly host: string
  readonly port: number
  readonly operation: string

  constructor(subject: Subject, problem: string, options?: ErrorOptions) {
    super(`BMC ${subject.host}:${subject.port}, ${subject.operation}: ${problem}`, options)
    this.name = new.target.name
    this.host = subject.host
    this.port = subject.port
    this.operation = subject.operation
  }
}

/** Silence: the network, the address, or a BMC that is down. */
export class TransportTimeout extends IpmiError {
  readonly seconds: number

  constructor(subject: Subject, seconds: number) {
    const remedy = 'check its address, that IPMI over LAN is enabled, and that nothing filters this UDP port'
    super(subject, `no answer within ${seconds} s; ${remedy}`)
    this.seconds = seconds
  }
}

/** This machine could not even send: no route, no such host, a closed socket. */
export class TransportError extends IpmiError {
  constructor(subject: Subject, cause: unknown) {
    super(subject, 'the request could not be sent; check the host name and the route to it', { cause })
  }
}

export class IncorrectPassword extends IpmiError {
  constructor(subject: Subject, username: string) {
    super(subject, `incorrect password for user ${JSON.stringify(username)}; correct it, here or on the BMC`)
  }
}

export class IncorrectBmcKey extends IpmiError {
  constructor(subject: Subject) {
    super(subject, "the BMC's key (Kg) is another than the one given; give it, or clear it on the BMC")
  }
}

export class UnauthorizedName extends IpmiError {
  constructor(subject: Subject, username: string) {
    super(
      subject,
      `the BMC has no user ${JSON.stringify(username)} that may log in over LAN; correct the name, or allow it there`,
    )
  }
}

export class UnauthorizedRole extends IpmiError {
  constructor(subject: Subject, username: string, privilege: string) {
    super(
      subject,
      `user ${JSON.stringify(username)} may not have the privilege ${privilege}; raise it on the BMC or ask less`,
    )
  }
}

export class NoSupportedCipherSuite extends IpmiError {
  constructor(subject: Subject, tried: readonly number[], offered: readonly number[] | undefined) {
    const offers = offered ? `it offers ${offered.join(', ') || 'none'}` : "it doesn't say what it offers"
    super(
      subject,
      `the BMC accepts none of the cipher suites ${tried.join(', ')}; ${offers}. Enable one of them on the BMC`,
    )
  }
}

/** An IPMI 1.5 BMC, or one with RMCP+ switched off. */
export class NoRmcpPlus extends IpmiError {
  constructor(subject: Subject) {
    super(subject, 'the BMC does not offer IPMI 2.0 (RMCP+) on this channel; enable it, or ask for IPMI 1.5')
  }
}

/** A handshake that the BMC ended for a reason other than who asked. */
export class SessionRefused extends IpmiError {
  readonly status: number

  constructor(subject: Subject, status: number) {
    const code = status.toString(16).padStart(2, '0')
    super(subject, `session refused with status 0x${code}: ${statusText(status)}; ${statusRemedy(status)}`)
    this.status = status
  }
}

/** The session was closed by our own side. */
export class SessionClosed extends IpmiError {
  constructor(subject: Subject) {
    super(subject, 'the session is closed')
  }
}

/** The BMC understood and declined. */
export class CommandFailed extends IpmiError {
  readonly completionCode: number

  constructor(subject: Subject, code: number) {
    const hex = code.toString(16).padStart(2, '0')
    super(subject, `completion code 0x${hex}: ${completionText(code)}; ${completionRemedy(code)}`)
    this.completionCode = code
  }
}

/** The BMC answered something that the specification doesn't allow. */
export class MalformedAnswer extends IpmiError {
  constructor(subject: Subject, cause: unknown) {
    const remedy = 'try again, and restart the BMC or update its firmware if it stays so'
    super(subject, `the answer is not what IPMI 2.0 says it should be; ${remedy}`, { cause })
  }
}
