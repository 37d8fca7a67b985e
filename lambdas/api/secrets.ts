import { UserError } from '../../contract/api/faults.ts'
import type { Appliance } from '../../contract/resources.ts'
import { IMAGE_AUTHORIZATION, IMAGE_PULL_SECRET } from '../../contract/images/remote.ts'
import { isSealed, isSecretKey, MASK, seal } from '../../contract/seal.ts'

type Info = Record<string, unknown>

export interface SealingFor {
  node: string
  site: string
  /** All that may have the node in hand. */
  appliances: Appliance[]
}

/** driver_info as it is stored: secrets sealed to the site. A masked one stands for what is stored under its key. */
export function sealSecrets(given: Info, stored: Info, to: SealingFor, root = 'driver_info'): Info {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, sealedValue(root, key, value, stored, to)]),
  )
}

function sealedValue(root: string, key: string, value: unknown, stored: Info, to: SealingFor): unknown {
  if (isSealed(value))
    throw new UserError(400, `${root}/${key}: a sealed value can't be written; give the secret itself.`)
  if (!isSecretKey(key)) return refuseNested(`${root}/${key}`, value)
  if (value === null || value === '') return value
  if (value === MASK) {
    if (isSealed(stored[key])) return stored[key]
    throw new UserError(400, `${root}/${key}: ${MASK} stands for a stored secret, but none is stored.`)
  }
  if (typeof value !== 'string') throw new UserError(400, `${root}/${key}: a secret is text.`)
  if (to.appliances.length === 0) throw new UserError(400, cannotSeal(`${root}/${key}`, to.site))
  const keys = to.appliances.map(({ uuid, sealing_key }) => ({ appliance: uuid, key: sealing_key }))
  return seal(value, `${to.node}/${key}`, keys)
}

function cannotSeal(path: string, site: string): string {
  const secret = `${path} is a secret, which is encrypted to the appliances of the node's site`
  return site === ''
    ? `${secret}: name the site in conductor_group.`
    : `${secret}; site ${site} has none yet: enrol one first.`
}

/** Sealing knows the first level only; a secret below it would be stored as it is. */
function refuseNested(path: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const [key, below] of Object.entries(value)) {
    if (isSecretKey(key))
      throw new UserError(400, `${path}/${key}: a secret must be a key of ${path.split('/')[0]} itself.`)
    refuseNested(`${path}/${key}`, below)
  }
  return value
}

/** instance_info as it is stored: what image servers and registries are to be shown is for the site alone. */
export function sealImageSecrets(info: Info, to: SealingFor): Info {
  const given = [IMAGE_PULL_SECRET, IMAGE_AUTHORIZATION].filter((key) => typeof info[key] === 'string')
  return {
    ...info,
    ...Object.fromEntries(given.map((key) => [key, sealedValue('instance_info', key, info[key], {}, to)])),
  }
}

/** Where a masked secret of instance_info is given back, the stored one stays. */
export function keepMasked(given: Info, stored: Info): Info {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, value === MASK && key in stored ? stored[key] : value]),
  )
}
