import { z } from 'zod'
import {
  namespacesOf,
  type NvmeTool,
  nvmeTool,
  type Sanitize,
  sanitizeNvme,
  type Sanitizing,
  sanitizesOf,
} from './sanitize.ts'

const controller = z.looseObject({ oacs: z.int(), fna: z.int() })

/** Secure Erase Settings of Format NVM (NVM Express Base Specification 2.0, §5.14). */
type Format = 'cryptographic' | 'user data'
const ses: Record<Format, string> = { 'user data': '1', cryptographic: '2' }

export type SelfErase = { by: 'format'; how: Format } | { by: 'sanitize'; how: Sanitize }

/** Identify Controller, OACS bit 1 (Format NVM) and FNA bit 2 (cryptographic erase). */
function formatsOf(identify: unknown): Format[] {
  const parsed = controller.safeParse(identify)
  if (!parsed.success || !(parsed.data.oacs & 0x2)) return []
  return parsed.data.fna & 0x4 ? ['cryptographic', 'user data'] : ['user data']
}

/** What the controller can do, best first: a key is forgotten in seconds, and a format can be cut off where a sanitize can't. */
export function selfErasesOf(identify: unknown, namespaces: number): SelfErase[] {
  const all: SelfErase[] = [
    ...formatsOf(identify).map((how) => ({ by: 'format' as const, how })),
    ...sanitizesOf(identify, namespaces).map((how) => ({ by: 'sanitize' as const, how })),
  ]
  return all.toSorted((a, b) => Number(b.how === 'cryptographic') - Number(a.how === 'cryptographic'))
}

/** Undefined: it can't erase itself. */
export async function nvmeSelfErase(path: string, tool: NvmeTool = nvmeTool): Promise<SelfErase | undefined> {
  const identify: unknown = JSON.parse((await tool(['id-ctrl', '--output-format=json', path], 60)).toString())
  return selfErasesOf(identify, await namespacesOf(path, tool).catch(() => 0))[0]
}

/** Rejects when the controller fails it. Forgetting a key takes seconds, erasing blocks up to hours. */
export async function eraseNvme(path: string, { by, how }: SelfErase, means: Sanitizing): Promise<void> {
  if (by === 'sanitize') return sanitizeNvme(path, how, means)
  const seconds = how === 'cryptographic' ? 600 : 4 * 3600
  const words = ['format', path, `--ses=${ses[how]}`, '--force', `--timeout=${seconds * 1000}`]
  await means.tool(words, seconds + 60)
}
