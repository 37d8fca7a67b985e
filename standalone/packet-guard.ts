import { Transform } from 'node:stream'

/** Type byte and length, at most four bytes of it (MQTT 3.1.1 §2.2.3). */
const LENGTH_BYTES = 4

/** Lets MQTT packets through up to `limit` bytes each, and ends the connection at the header of a larger one: the parser behind
 * would collect up to 256 MiB before anybody could say no. */
export function packetGuard(limit: number): Transform {
  let body = 0
  let lengthBytes = -1
  let length = 0
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (let at = 0; at < chunk.length;) {
        if (body > 0) {
          const step = Math.min(body, chunk.length - at)
          body -= step
          at += step
          continue
        }
        const byte = chunk[at]!
        at += 1
        if (lengthBytes < 0) {
          lengthBytes = 0
          length = 0
          continue
        }
        length += (byte & 0x7f) * 128 ** lengthBytes
        lengthBytes += 1
        const more = (byte & 0x80) !== 0
        if (length > limit || (more && lengthBytes === LENGTH_BYTES))
          return done(new Error(`an MQTT packet of more than ${limit} bytes`))
        if (more) continue
        body = length
        lengthBytes = -1
      }
      done(null, chunk)
    },
  })
}
