import type { IpmiSession } from './client.ts'
import { decodeWith, encodeWith } from './command.ts'
import { THIS_CHANNEL } from './commands.ts'
import type { Parameter } from './parameter.ts'
import { getSolConfiguration, setSolConfiguration } from './sol-commands.ts'

/** One parameter of the SOL configuration (sol-parameters.ts) of the channel that the session came in on. */
export async function readSol<T>(session: IpmiSession, parameter: Parameter<T>): Promise<T> {
  const channel = { number: THIS_CHANNEL, revisionOnly: false }
  const { data } = await session.send(getSolConfiguration, { channel, selector: parameter.selector, set: 0, block: 0 })
  return decodeWith(parameter.data, data)
}

export async function writeSol<T>(session: IpmiSession, parameter: Parameter<T>, value: T): Promise<void> {
  const data = encodeWith(parameter.data, value)
  await session.send(setSolConfiguration, { channel: { number: THIS_CHANNEL }, selector: parameter.selector, data })
}
