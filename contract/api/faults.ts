/** Errors as Ironic's API says them. */

/** The caller's fault: `status` is the reply's, `message` its text. Anything else that is thrown is our fault. */
export class UserError extends Error {
  override readonly name: string = 'UserError'
  readonly status: number
  constructor(status: number, message: string) {
    // Nobody reads where in our code a caller's fault was found, and collecting it costs more than many a request.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = limit
    this.status = status
  }
}

/** The same, of the path alone: answered before any resource is asked. */
export class PathError extends UserError {}

interface Fault {
  faultcode: 'Client' | 'Server'
  faultstring: string
}

function fault(status: number, text: string): Fault {
  return { faultcode: status < 500 ? 'Client' : 'Server', faultstring: text }
}

/** `error_message` is a string that holds JSON: clients decode twice. */
export function faultBody(status: number, text: string): { error_message: string } {
  return { error_message: JSON.stringify({ ...fault(status, text), debuginfo: null }) }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
}

/** What is refused before any resource is asked has the form of Ironic's web framework; `text` may be empty. */
export function routeFaultBody(status: number, text: string): { error_message: string } {
  return { error_message: JSON.stringify({ code: status, title: titles[status] ?? 'Error', description: text }) }
}

/** The guards of a request's body answer before the API does, and so without its wrapper. */
export function flatFaultBody(status: number, text: string): Fault {
  return fault(status, text)
}

/** The sentence in an error's body, whichever of the forms that are about it has; the body itself when it has none of them. */
export function faultText(body: string): string {
  const outer = parsed(body)
  if (!isObject(outer)) return body
  const message = outer['error_message'] ?? outer
  const inner = typeof message === 'string' ? parsed(message) : message
  if (isObject(inner))
    for (const key of ['faultstring', 'description']) if (typeof inner[key] === 'string') return inner[key]
  return typeof message === 'string' ? message : body
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
