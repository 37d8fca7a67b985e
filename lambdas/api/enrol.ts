import { z } from 'zod'
import type { EnrolReply } from '../../contract/api/requests.ts'
import { UserError } from '../../contract/api/faults.ts'
import { type Appliance, appliance as applianceSchema } from '../../contract/resources.ts'
import { ConflictError, type Enrolment, type Platform, type Write } from '../platform.ts'
import { applianceItem, applianceNamed, applianceNameKey } from '../store/appliances.ts'
import { certificateItem } from '../store/certificates.ts'
import { type Grant, getGrant, tokenKey } from '../store/tokens.ts'
import { readJson } from './body.ts'
import type { Api } from './context.ts'

const request = z.strictObject({
  token: z.string().min(1).max(512),
  name: applianceSchema.shape.name,
  csr: z.string().min(1).max(16_384),
  sealing_key: applianceSchema.shape.sealing_key,
})
type Request = z.infer<typeof request>

/** An appliance joins its site: for a one-time token and its keys' public halves it gets a certificate. */
export function enrolRoutes(app: Api, platform: Platform): void {
  app.post('/v1/enrol', async (call) => {
    const asked = request.parse(await readJson(call))
    const grant = await getGrant(platform.table, asked.token, platform.clock.now())
    if (!grant) throw invalidToken()
    if (await applianceNamed(platform.table, asked.name)) throw nameTaken(asked.name)
    const uuid = platform.ids.uuid()
    const issued = await platform.identity.issue(uuid, asked.csr, platform.options.appliance_certificate_days)
    await join(platform, asked, grant, uuid, issued)
    platform.log.info({ site: grant.site, appliance: uuid, name: asked.name }, 'appliance enrolled')
    const { certificate_sha256: _, ...given } = issued
    return call.json({ appliance: uuid, site: grant.site, ...given } satisfies EnrolReply, 201)
  })
}

/** Uses the token up and stores the appliance, both or none; a certificate that came to nothing is revoked. */
async function join(
  platform: Platform,
  { token, name, sealing_key }: Request,
  { site }: Grant,
  uuid: string,
  { certificate_sha256, issued_at, expires_at }: Enrolment,
): Promise<void> {
  const appliance: Appliance = {
    uuid,
    name,
    site,
    sealing_key,
    certificate_sha256,
    certificate_expires_at: expires_at,
    software: null,
    created_at: platform.clock.now().toISOString(),
    last_seen: null,
    version: 1,
  }
  const writes: Write[] = [
    { delete: tokenKey(token), expect: 'present' },
    { put: { ...applianceNameKey(name), version: 1, value: { appliance: uuid } }, expect: 'absent' },
    { put: applianceItem(appliance), expect: 'absent' },
    { put: certificateItem(uuid, { life: { issued_at, expires_at } }, 1), expect: 'absent' },
  ]
  try {
    await platform.table.write(writes)
  } catch (error) {
    await platform.identity.revoke(uuid)
    if (!(error instanceof ConflictError)) throw error
    throw error.index === 0 ? invalidToken() : nameTaken(name)
  }
}

function invalidToken(): UserError {
  return new UserError(401, 'This enrolment token is unknown, used or expired: have a new one made for the site.')
}

function nameTaken(name: string): UserError {
  return new UserError(409, `An appliance with name ${name} is already enrolled: choose another name.`)
}
