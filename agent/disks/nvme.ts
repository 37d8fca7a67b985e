import { z } from 'zod'
import { run } from '../programs.ts'

const controller = z.looseObject({ oacs: z.int(), fna: z.int() })

/** Secure Erase Settings of Format NVM (NVM Express Base Specification 2.0, §5.14). */
export type SecureErase = 'cryptographic' | 'user data'
const ses: Record<SecureErase, string> = { 'user data': '1', cryptographic: '2' }

/** What the controller can do: Identify Controller, OACS bit 1 (Format NVM) and FNA bit 2 (cryptographic erase). */
export function secureEraseOf(identify: unknown): SecureErase | undefined {
  const parsed = controller.safeParse(identify)
  if (!parsed.success || !(parsed.data.oacs & 0x2)) return undefined
  return parsed.data.fna & 0x4 ? 'cryptographic' : 'user data'
}

export async function nvmeSecureErase(path: string): Promise<SecureErase | undefined> {
  const said = await run('nvme', ['id-ctrl', '--output-format=json', path], 60)
  return secureEraseOf(JSON.parse(said.toString()))
}

/** Rejects when the controller fails it. Cryptographic erase takes seconds, that of user data up to hours. */
export async function formatNvme(path: string, how: SecureErase): Promise<void> {
  const seconds = how === 'cryptographic' ? 600 : 4 * 3600
  await run('nvme', ['format', path, `--ses=${ses[how]}`, '--force', `--timeout=${seconds * 1000}`], seconds + 60)
}
