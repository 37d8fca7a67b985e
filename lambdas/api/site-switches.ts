import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type SiteSwitch, switchDoor, switchKeyOf } from '../../contract/switch-doors.ts'
import { MASK, seal, type Sealed } from '../../contract/seal.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { getSite } from '../store/sites.ts'
import { switchesOf, switchItem, writeSwitch } from '../store/site-switches.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'

/** Switches of a site, whose keys only its appliances can open (decision 4). */

const privateKey = z
  .string()
  .max(16_384)
  .regex(/^-----BEGIN (OPENSSH |RSA |EC )?PRIVATE KEY-----\s/, 'is no private key in PEM, without a passphrase')
export const switchInput = switchDoor.omit({ name: true }).extend({ private_key: privateKey.optional() })

export function siteSwitchRoutes(app: Api, { table, log }: Platform): void {
  const path = '/v1/sites/:name/switches'
  app.get(path, async (call) => {
    const switches = await switchesOf(table, await siteNamed(call.req.param('name')))
    return call.json({ switches: switches.map(shown) })
  })
  app.put(`${path}/:switch`, async (call) => {
    const site = await siteNamed(call.req.param('name'))
    const name = switchDoor.shape.name.parse(call.req.param('switch'))
    const { private_key: key, ...given } = switchInput.parse(await readJson(call))
    const before = await switchItem(table, site, name)
    const kept = (before?.value as SiteSwitch | undefined)?.private_key
    const sealed = key === undefined ? kept : await sealedTo(site, name, key)
    if (!sealed) throw new UserError(400, `Switch ${name} needs a private_key: what it is logged in to with.`)
    const after: SiteSwitch = { ...given, name, private_key: sealed }
    await writeSwitch(table, site, before, after).catch(retry(name))
    log.info({ site, switch: name, address: given.address }, before ? 'switch changed' : 'switch added')
    return call.json(shown(after), before ? 200 : 201)
  })
  app.delete(`${path}/:switch`, async (call) => {
    const site = await siteNamed(call.req.param('name'))
    const name = call.req.param('switch')
    const before = await switchItem(table, site, name)
    if (!before) throw new UserError(404, `Site ${site} has no switch ${name}.`)
    await writeSwitch(table, site, before, undefined).catch(retry(name))
    log.info({ site, switch: name }, 'switch removed')
    return call.body(null, 204)
  })

  async function siteNamed(name: string): Promise<string> {
    if (await getSite(table, name)) return name
    throw new UserError(404, `Site ${name} could not be found.`)
  }

  async function sealedTo(site: string, name: string, text: string): Promise<Sealed> {
    const appliances = await appliancesOf(table, site)
    if (appliances.length === 0)
      throw new UserError(
        400,
        `A switch's key is encrypted to the appliances of its site; site ${site} has none yet: enrol one first.`,
      )
    const to = appliances.map(({ uuid, sealing_key: key }) => ({ appliance: uuid, key }))
    return seal(text, switchKeyOf(site, name), to)
  }
}

const retry =
  (name: string) =>
  (error: unknown): never => {
    if (error instanceof ConflictError)
      throw new UserError(409, `Switch ${name} was changed at the same moment, please retry.`)
    throw error
  }

const shown = ({ private_key: _sealed, ...door }: SiteSwitch) => ({ ...door, private_key: MASK })
