/** A body of multipart/form-data (RFC 7578), which is a handful of parts. */
export interface Part {
  name: string
  filename: string | undefined
  content: Buffer
}

const MOST_PARTS = 16

export function multipartOf(bytes: Uint8Array, type: unknown): Part[] {
  const boundary = typeof type === 'string' ? /boundary="?([^";]{1,70})/.exec(type)?.[1] : undefined
  if (boundary === undefined) return []
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const limit = `--${boundary}`
  const parts: Part[] = []
  for (let at = body.indexOf(limit); at >= 0 && parts.length < MOST_PARTS;) {
    const from = at + limit.length
    const next = body.indexOf(`\r\n${limit}`, from)
    if (next < 0) break
    const part = partOf(body.subarray(from + 2, next))
    if (part) parts.push(part)
    at = next + 2
  }
  return parts
}

function partOf(bytes: Buffer): Part | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, Math.max(end, 0)).toString('latin1')
  const name = /[; ]name="([^"]*)"/i.exec(head)?.[1]
  if (end < 0 || name === undefined) return undefined
  return { name, filename: /filename="([^"]*)"/i.exec(head)?.[1], content: bytes.subarray(end + 4) }
}
