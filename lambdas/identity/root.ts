import type { Identity } from './context.ts'

const VERSION = 'v3.14'

/** Where clients begin: which versions there are. */
export function rootRoutes(app: Identity): void {
  app.get('/identity', (call) => call.json({ versions: { values: [version(call.var.base)] } }, 300))
  app.get('/identity/v3', (call) => call.json({ version: version(call.var.base) }))
}

function version(base: string) {
  return {
    id: VERSION,
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${base}/identity/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }
}
