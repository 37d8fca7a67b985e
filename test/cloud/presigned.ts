import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

interface Signed {
  method: string
  url: URL
  headers: IncomingHttpHeaders
}

/** Whether a URL's signature (AWS Signature Version 4, query form) is by `secret`, covers this request and hasn't expired. */
export function presignedBy(secret: string, { method, url, headers }: Signed, now: Date): boolean {
  const given = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? ''
  const at = given('Date')
  const made = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(now.getTime() <= made + Number(given('Expires')) * 1000)) return false

  const names = given('SignedHeaders').split(';')
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
  const canonical = [
    method,
    url.pathname
      .split('/')
      .map((part) => escaped(decodeURIComponent(part)))
      .join('/'),
    query.join('&'),
    ...names.map((name) => `${name}:${String(headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n')

  const [, day = '', region = '', service = '', end = ''] = given('Credential').split('/')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const text = [given('Algorithm'), at, [day, region, service, end].join('/'), digest].join('\n')
  const key = [day, region, service, end].reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`)
  const expected = hmac(key, text)
  const signature = Buffer.from(given('Signature'), 'hex')
  return signature.length === expected.length && timingSafeEqual(signature, expected)
}

/** RFC 3986: encodeURIComponent leaves five characters more. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
