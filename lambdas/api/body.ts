import { BodyError } from './errors.ts'

/** Guards of what a request may bring: as much as its resource needs, and nothing that is nested without end. */

const MIB = 1024 * 1024
export const ordinary = MIB
/** Config drives come inside. */
export const withConfigDrive = 64 * MIB
const DEPTH = 25

/** The body as JSON; undefined when there is none. */
export async function readJson(call: { req: { raw: Request } }, limit = ordinary): Promise<unknown> {
  const text = await readText(call.req.raw, limit)
  if (text.trim() === '') return undefined
  if (isDeeper(text, DEPTH)) throw new BodyError(400, `Request body is nested more than ${DEPTH} levels deep.`)
  try {
    return JSON.parse(text)
  } catch {
    throw new BodyError(400, 'Request body is not JSON.')
  }
}

async function readText({ body, headers }: Request, limit: number): Promise<string> {
  const tooLarge = (): BodyError => new BodyError(413, `Request body is larger than ${limit / MIB} MiB.`)
  if (Number(headers.get('content-length') ?? 0) > limit) throw tooLarge()
  if (!body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Without parsing it: a parser would recurse. */
export function isDeeper(json: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (inString) {
      if (character === '\\') at += 1
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') {
      depth += 1
      if (depth > limit) return true
    } else if (character === '}' || character === ']') depth -= 1
  }
  return false
}
