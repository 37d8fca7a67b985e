import { handle } from 'hono/aws-lambda'
import { createApi } from '../../api/app.ts'
import { requiredOf } from '../environment.ts'
import { awsPlatform } from '../platform.ts'
import { readUsers } from '../users.ts'

const platform = awsPlatform()
const USERS = requiredOf(process.env, 'USERS')

/** A user who was added or removed is so within this time. */
const USERS_KEPT_MS = 5 * 60 * 1000

interface Api {
  answer: Answer
  until: number
}
let current: Promise<Api> | undefined

type Answer = ReturnType<typeof handle>

export const handler: Answer = async (...request) => (await api()).answer(...request)

async function api(): Promise<Api> {
  const known = await current
  if (known && known.until > Date.now()) return known
  current = build()
  current.catch(() => (current = undefined))
  return current
}

async function build(): Promise<Api> {
  const htpasswd = await readUsers(USERS)
  const app = createApi(platform, { publicEndpoint: null, auth: { strategy: 'http_basic', htpasswd } })
  return { answer: handle(app), until: Date.now() + USERS_KEPT_MS }
}
