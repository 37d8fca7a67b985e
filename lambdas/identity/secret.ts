import { createHash } from 'node:crypto'
import { compare, hash } from 'bcryptjs'

/** Passwords and the secrets of application credentials are kept as bcrypt of their digest: bcrypt alone would ignore all behind the
 * 72nd byte. */

const COST = 10
/** Of nobody's secret, so that an unknown user takes as long as a wrong password. */
const DECOY = '$2b$10$5xVvTZLrN1GUh4HkN8iw5O67mewY.boeEtEf/L.DnLCb2eEV.rwDO'

export function hashSecret(secret: string): Promise<string> {
  return hash(digest(secret), COST)
}

/** `stored` null: there is no such secret; it takes as long. */
export async function matchesSecret(secret: string, stored: string | null): Promise<boolean> {
  const matches = await compare(digest(secret), stored ?? DECOY)
  return matches && stored !== null
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}
