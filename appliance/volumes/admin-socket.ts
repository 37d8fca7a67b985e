import { connect } from 'node:net'
import { HardwareError } from '../hardware-error.ts'
import { type AdminRequest, decodeReply, encodeRequest } from './admin-request.ts'

const MOST_BYTES = 16 * 1_048_576
const ANSWER_MS = 30_000

/** Asks tgtd, which closes the connection behind its reply. */
export async function askTarget(socket: string, request: AdminRequest, what: string): Promise<string> {
  const reply = await new Promise<Buffer>((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    const line = connect(socket)
    const late = setTimeout(
      () => fail(new HardwareError(`tgtd did not answer within ${ANSWER_MS / 1000} s`)),
      ANSWER_MS,
    )
    const fail = (error: Error): void => {
      clearTimeout(late)
      line.destroy()
      reject(error)
    }
    line.on('error', fail)
    line.on('connect', () => line.write(encodeRequest(request)))
    line.on('data', (part: Buffer) => {
      size += part.length
      if (size > MOST_BYTES) fail(new HardwareError('tgtd says more than it has reason to'))
      parts.push(part)
    })
    line.on('close', () => {
      clearTimeout(late)
      resolve(Buffer.concat(parts))
    })
  })
  return decodeReply(reply, what)
}
