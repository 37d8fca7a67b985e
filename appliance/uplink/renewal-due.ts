import type { Identity } from '../identity.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Whether this appliance should ask for another certificate: at two thirds of the life of the one that it has, or up to a twelfth of the life
 * later, so that those that were enrolled on one day don't ask on one day. `spread`, from 0 to 1, is always the same of one certificate.
 *
 * The age is counted by one clock, ours, since the certificate came, so that a clock which is wrong, but goes, does no harm. A clock that has
 * been set since may be right only now: then the cloud's dates count, though not within a day, lest a clock far ahead asks again at once. */
export function isRenewalDue({ life }: Pick<Identity, 'life'>, spread: number, now: Date, started: Date): boolean {
  // From before certificates were renewed: such as are good for ten years.
  if (!life) return now.getTime() - started.getTime() >= spread * HOUR_MS
  const [issued, expires, received] = [life.issued_at, life.expires_at, life.received_at].map((at) =>
    Date.parse(at),
  ) as [number, number, number]
  const due = (expires - issued) * (2 / 3 + spread / 12)
  const age = now.getTime() - received
  if (age >= due) return true
  return now.getTime() - issued >= due && (age < 0 || age >= DAY_MS)
}
