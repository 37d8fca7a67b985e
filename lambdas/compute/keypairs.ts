import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Keypair } from '../../contract/compute.ts'
import { readJson } from '../api/body.ts'
import { charging } from '../openstack/quotas.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isAdmin } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { generatedKey } from './generated-key.ts'
import { PATH } from './path.ts'
import { keypairsOf, keypairStore } from './store.ts'

/** `type SPACE base64 [SPACE comment]`, as in authorized_keys (RFC 4253 §6.6). */
const KEY =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com) ([A-Za-z0-9+/]+={0,3})(?: .*)?$/

const creation = z.object({
  keypair: z.strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9@._ -]{1,255}$/, 'letters, digits, and @ . _ - and spaces')
      .refine((text) => text === text.trim(), 'no space at an end'),
    public_key: z.string().trim().max(16_384).optional(),
    type: z.literal('ssh', 'only ssh: bare metal has no Windows passwords to fetch').optional(),
    user_id: z.string().max(64).optional(),
  }),
})

/** From this microversion on clients make key pairs themselves, and their names may be like addresses of mail. */
const IMPORTED_ONLY = 92

/** Public keys of people, which their servers let in. The private half of a pair that is made here is in the reply, and nowhere else. */
export function keypairRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids } = ground
  const path = `${PATH}/os-keypairs`
  app.get(path, async (call) => {
    const keypairs = await all<Keypair>(table, keypairsOf(userOf(call, call.req.query('user_id'))))
    return call.json({ keypairs: keypairs.map((each) => ({ keypair: view(call, each) })) })
  })
  app.post(path, async (call) => {
    const given = creation.parse(await readJson(call)).keypair
    if (call.var.minor < IMPORTED_ONLY && /[@.]/.test(given.name))
      throw new UserError(400, `keypair.name: @ and . are allowed from 2.${IMPORTED_ONLY} on.`)
    if (call.var.minor >= IMPORTED_ONLY && given.public_key === undefined)
      throw new UserError(
        400,
        `'public_key' is a required property: from 2.${IMPORTED_ONLY} on no key pair is made here.`,
      )
    const user_id = userOf(call, given.user_id)
    const { public_key, ...secret } =
      given.public_key === undefined ? await generatedKey() : { public_key: given.public_key }
    const keypair: Keypair = {
      uuid: ids.uuid(),
      name: given.name,
      user_id,
      type: 'ssh',
      public_key,
      fingerprint: fingerprint(public_key),
      created_at: clock.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await keypairStore.save(charging(table, keypairsBy(user_id), { key_pairs: 1 }), undefined, keypair)
    return call.json({ keypair: { ...view(call, keypair), ...secret } }, call.var.minor >= 2 ? 201 : 200)
  })
  app.get(`${path}/:name`, async (call) => call.json({ keypair: detail(call, await keypairOf(ground, asked(call))) }))
  app.delete(`${path}/:name`, async (call) => {
    const keypair = await keypairOf(ground, asked(call))
    await keypairStore.remove(charging(table, keypairsBy(keypair.user_id), { key_pairs: -1 }), keypair)
    return call.body(null, call.var.minor >= 2 ? 204 : 202)
  })
}

/** They are people's, whatever their project. */
const keypairsBy = (user: string): string => `user ${user}`

const asked = (call: Call) => ({
  user: userOf(call, call.req.query('user_id')),
  name: call.req.param('name') ?? '',
})

/** Administrators may act for others. */
function userOf(call: Call, other: string | undefined): string {
  const id = call.var.caller.user?.id
  if (id === undefined) throw new UserError(403, 'Nobody calls.')
  if (other === undefined || other === id) return id
  if (!isAdmin(call)) throw new UserError(403, "Policy doesn't allow key pairs of another user to be touched.")
  return other
}

/** MD5, because that is what the API shows and what ssh-keygen -E md5 prints. */
function fingerprint(key: string): string {
  const [, , base64 = ''] = KEY.exec(key) ?? []
  const blob = Buffer.from(base64, 'base64')
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0
  const type = blob.subarray(4, 4 + length).toString('latin1')
  if (base64 === '' || !key.startsWith(`${type} `))
    throw new UserError(400, 'Keypair data is invalid: failed to generate fingerprint: it is no OpenSSH public key.')
  return createHash('md5')
    .update(blob)
    .digest('hex')
    .replaceAll(/..(?!$)/g, '$&:')
}

export async function keypairOf(
  { table }: Pick<Ground, 'table'>,
  { user, name }: { user: string; name: string },
): Promise<Keypair> {
  const keypair = await keypairStore.find(table, `${user}/${name}`)
  if (!keypair) throw new UserError(404, `Keypair ${name} not found for user ${user}`)
  return keypair
}

function view(call: Call, { name, public_key, fingerprint, user_id }: Keypair) {
  const { minor } = call.var
  return { name, public_key, fingerprint, ...(minor >= 2 ? { type: 'ssh' } : {}), ...(minor >= 10 ? { user_id } : {}) }
}

function detail(call: Call, keypair: Keypair) {
  const { created_at, user_id } = keypair
  return {
    ...view(call, keypair),
    user_id,
    id: Number.parseInt(keypair.uuid.slice(0, 7), 16),
    created_at,
    updated_at: null,
    deleted: false,
    deleted_at: null,
  }
}
