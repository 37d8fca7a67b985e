import { CommandFailure } from '../failure.ts'
import { run } from '../programs.ts'

/** The Security feature set of an ATA disk (ACS-3 §4.18), as `hdparm -I` shows it. */
export interface AtaSecurity {
  enabled: boolean
  locked: boolean
  frozen: boolean
  /** Minutes that the disk promises; undefined: it can't erase in this way. */
  enhanced?: number
  normal?: number
}

/** Undefined: no such feature set, as of SAS disks and virtual ones. */
export function parseSecurity(identify: string): AtaSecurity | undefined {
  const section = /^Security:.*\n((?:[ \t]+.*\n?)+)/m.exec(identify)?.[1]
  if (section === undefined || !/^\s*supported$/m.test(section)) return undefined
  const is = (word: string): boolean => new RegExp(`^\\s*${word}\\s*$`, 'm').test(section)
  const minutes = (name: string): number | undefined => {
    const found = new RegExp(`(\\d+)min for ${name}`).exec(section)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  return {
    enabled: is('enabled'),
    locked: is('locked'),
    frozen: is('frozen'),
    enhanced: is('supported: enhanced erase') ? (minutes('ENHANCED SECURITY ERASE UNIT') ?? 0) : undefined,
    normal: minutes('SECURITY ERASE UNIT'),
  }
}

export async function ataSecurity(path: string): Promise<AtaSecurity | undefined> {
  const said = await run('hdparm', ['-I', path], 60).catch(() => undefined)
  return said && parseSecurity(said.toString())
}

/** What a disk must be locked with before it erases itself. An erase takes it away. */
const PASSWORD = 'NULL'

/** Rejects when the disk can't be made to. A disk that was left locked by an erase that was cut off is unlocked first. */
export async function eraseAta(path: string, security: AtaSecurity): Promise<void> {
  if (security.frozen)
    throw new CommandFailure(
      'BlockDeviceEraseError',
      `${path}: its security is frozen by the firmware; power-cycle the machine, or have it not frozen by the BIOS settings`,
    )
  if (security.locked) await hdparm(path, ['--security-unlock', PASSWORD], 60)
  if (!security.enabled) await hdparm(path, ['--security-set-pass', PASSWORD], 60)
  const [verb, minutes] =
    security.enhanced === undefined
      ? ['--security-erase', security.normal]
      : ['--security-erase-enhanced', security.enhanced]
  try {
    // Disks promise in steps of two minutes and mean the best case.
    await hdparm(path, [verb, PASSWORD], ((minutes ?? 0) * 2 + 120) * 60)
  } catch (error) {
    await hdparm(path, ['--security-unlock', PASSWORD], 60).catch(() => {})
    await hdparm(path, ['--security-disable', PASSWORD], 60).catch(() => {})
    throw error
  }
}

function hdparm(path: string, args: readonly string[], seconds: number): Promise<Buffer> {
  return run('hdparm', ['--user-master', 'u', ...args, path], seconds)
}
