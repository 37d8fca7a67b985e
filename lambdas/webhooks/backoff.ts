/** When to try again: twice as long each time, up to an hour, with a half of chance so that many who failed together do not come
 * back together. */

const FIRST_SECONDS = 5
const CAP_SECONDS = 3600

/** A delivery that failed for so long is given up; one that is refused outright, after so many attempts. */
export const GIVE_UP_SECONDS = 24 * 3600
export const REFUSALS = 10
/** A receiver that has taken nothing for so long is given up. */
export const DISABLE_SECONDS = 3 * 24 * 3600

/** `failures` ≥ 1; `random` in [0, 1). A receiver may ask for a longer pause, within the cap. */
export function pauseSeconds(failures: number, random: number, asked = 0): number {
  const whole = Math.min(FIRST_SECONDS * 2 ** Math.min(failures - 1, 16), CAP_SECONDS)
  return Math.max(whole * (0.5 + random / 2), Math.min(asked, CAP_SECONDS))
}

export function later(now: Date, seconds: number): string {
  return new Date(now.getTime() + seconds * 1000).toISOString()
}
