/** Status and length of a plain reply (RFC 9112 §4, §6.3), whose body may have so many bytes. Throws what is wrong with any other. */
export function replyHead(head: string, most: number): { status: number; length: number } {
  const [first = '', ...fields] = head.split('\r\n')
  const status = Number(/^HTTP\/1\.[01] ([2-5]\d\d)(?: |$)/.exec(first)?.[1])
  if (Number.isNaN(status)) throw new Error('a reply that is none of HTTP/1.1')
  const lengths = new Set<string>()
  for (const field of fields) {
    const [name = '', value = ''] = field.split(/:[ \t]*/, 2)
    if (/^transfer-encoding$/i.test(name)) throw new Error('a reply of no known length')
    if (/^content-length$/i.test(name)) lengths.add(value.trim())
  }
  const [length = ''] = status === 204 || status === 304 ? ['0'] : lengths
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) throw new Error('a reply of no known length')
  if (Number(length) > most) throw new Error(`a reply of ${length} bytes, of which there is room for ${most}`)
  return { status, length: Number(length) }
}
