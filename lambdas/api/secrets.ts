import { UserError } from '../../contract/api/faults.ts'
import type { Appliance } from '../../contract/resources.ts'
import { isSealed, isSecretKey, MASK, seal } from '../../contract/seal.ts'

type Info = Record<string, unknown>

export interface SealingFor {
  node: string
  site: string
  /** All that may have the node in hand. */
  appliances: Appliance[]
}

/** driver_info as it is stored: secrets sealed to the site. A masked one stands for what is stored under its key. */
export function sealSecrets(given: Info, stored: Info, to: SealingFor): Info {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, sealedValue(key, value, stored, to)]))
}

function sealedValue(key: string, value: unknown, stored: Info, to: SealingFor): unknown {
  if (isSealed(value))
    throw new UserError(400, `driver_info/${key}: a sealed value can't be written; give the secret itself.`)
  if (!isSecretKey(key)) return refuseNested(`driver_info/${key}`, value)
  if (value === null || value === '') return value
  if (value === MASK) {
    if (isSealed(stored[key])) return stored[key]
    throw new UserError(400, `driver_info/${key}: ${MASK} stands for a stored secret, but none is stored.`)
  }
  if (typeof value !== 'string') throw new UserError(400, `driver_info/${key}: a secret is text.`)
  if (to.appliances.length === 0) throw new UserError(400, cannotSeal(key, to.site))
  const keys = to.appliances.map(({ uuid, sealing_key }) => ({ appliance: uuid, key: sealing_key }))
  return seal(value, `${to.node}/${key}`, keys)
}

function cannotSeal(key: string, site: string): string {
  const secret = `driver_info/${key} is a secret, which is encrypted to the appliances of the node's site`
  return site === ''
    ? `${secret}: name the site in conductor_group.`
    : `${secret}; site ${site} has none yet: enrol one first.`
}

/** Sealing knows the first level only; a secret below it would be stored as it is. */
function refuseNested(path: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const [key, below] of Object.entries(value)) {
    if (isSecretKey(key)) throw new UserError(400, `${path}/${key}: a secret must be a key of driver_info itself.`)
    refuseNested(`${path}/${key}`, below)
  }
  return value
}

/** Where a masked secret of instance_info is given back, the stored one stays. */
export function keepMasked(given: Info, stored: Info): Info {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, value === MASK && key in stored ? stored[key] : value]),
  )
}
