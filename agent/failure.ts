/** Why a command could not be done. `type` is the name that ironic-python-agent gives to such an error. */
export class CommandFailure extends Error {
  readonly type: string
  readonly code: number

  constructor(type: string, message: string, options: { code?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandFailure'
    this.type = type
    this.code = options.code ?? 500
  }
}
