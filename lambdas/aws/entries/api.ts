import { handle } from 'hono/aws-lambda'
import { createApi } from '../../app.ts'
import { withBodyBeside } from '../../api/get-body.ts'
import { readAuthentication } from '../authentication.ts'
import { importerOf } from '../importer.ts'
import { awsPlatform } from '../platform.ts'
import { readWebhooks } from '../webhooks.ts'

const platform = awsPlatform()
const importer = importerOf(process.env)

/** A changed secret counts within this time. */
const SECRETS_KEPT_MS = 5 * 60 * 1000

interface Api {
  answer: Answer
  until: number
}
let current: Promise<Api> | undefined

type Answer = ReturnType<typeof handle>

export const handler: Answer = async (event, context) => (await api()).answer(withBodyBeside(event), context)

async function api(): Promise<Api> {
  const known = await current
  if (known && known.until > Date.now()) return known
  current = build()
  current.catch(() => (current = undefined))
  return current
}

async function build(): Promise<Api> {
  const auth = await readAuthentication(platform, process.env)
  const webhooks = await readWebhooks(process.env)
  const app = createApi(platform, { publicEndpoint: null, auth, webhooks }, importer)
  return { answer: handle(app), until: Date.now() + SECRETS_KEPT_MS }
}
