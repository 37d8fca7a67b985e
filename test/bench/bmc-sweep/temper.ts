/** How a simulated BMC is: of each hundred two are dead, three slow and one lies. */
export type Temper = 'well' | 'slow' | 'dead' | 'rubbish' | 'contradicting'

export const SLOW_MS = 5000

export function temperOf(index: number): Temper {
  const place = index % 100
  if (place < 2) return 'dead'
  if (place < 5) return 'slow'
  if (place > 5) return 'well'
  return index % 200 < 100 ? 'rubbish' : 'contradicting'
}

/** Every second one speaks Redfish. */
export function protocolOf(index: number): 'ipmi' | 'redfish' {
  return Math.floor(index / 7) % 2 === 0 ? 'ipmi' : 'redfish'
}
