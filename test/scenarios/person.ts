import type { MachinesToHave } from '../clients/machines.ts'

/** What the administrator asks in the project of that name, of OpenStack's services; rejects with what was refused. */
export async function personOf({ settings }: MachinesToHave) {
  const endpoint = settings['OS_AUTH_URL']!.replace(/\/identity$/, '')
  const domain = { id: 'default' }
  const user = { name: 'admin', domain, password: settings['OS_PASSWORD'] }
  const scope = { project: { name: 'admin', domain } }
  const auth = { identity: { methods: ['password'], password: { user } }, scope }
  const reply = await fetch(`${endpoint}/identity/v3/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth }) })
  const token = reply.headers.get('x-subject-token') ?? ''
  return async (method: string, path: string, body?: object) => {
    const init = { method, headers: { 'x-auth-token': token }, ...(body ? { body: JSON.stringify(body) } : {}) }
    const said = await fetch(`${endpoint}${path}`, init)
    const text = await said.text()
    if (!said.ok) throw new Error(`${method} ${path}: ${said.status} ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as any // oxlint-disable-line typescript/no-explicit-any -- what a stranger's program would get
  }
}
