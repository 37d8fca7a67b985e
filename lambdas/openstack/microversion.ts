import { UserError } from '../../contract/api/faults.ts'

/** The microversions that a service speaks, and the least where nothing is said. */
export interface Microversions {
  major: number
  least: number
  most: number
}

/** `2.47`, or `latest`, of `major`. */
export function minorOf(asked: string | undefined, { major, least, most }: Microversions): number {
  if (asked === undefined) return least
  if (asked === 'latest') return most
  const [, own, minor] = /^(\d)\.(\d{1,3})$/.exec(asked) ?? []
  if (Number(own) !== major || minor === undefined)
    throw new UserError(
      400,
      `API Version String ${asked.slice(0, 32)} is of invalid format. Must be of format MajorNum.MinorNum.`,
    )
  if (Number(minor) < least || Number(minor) > most)
    throw new UserError(
      406,
      `Version ${asked} is not supported by the API. Minimum is ${major}.${least} and maximum is ${major}.${most}.`,
    )
  return Number(minor)
}

/** What the header says of this service: it may speak of several. */
export function askedOf(service: RegExp, header: string | undefined): string | undefined {
  const [, asked] = new RegExp(`(?:^|,)\\s*(?:${service.source})\\s+([\\w.]+)`, 'i').exec(header ?? '') ?? []
  return asked
}
