import { links, type Link, type Showing } from '../../contract/api/views.ts'
import { routeSince } from '../../contract/api/matrix.ts'
import { MAXIMUM, MINIMUM, versionText } from '../../contract/api/versions.ts'
import type { Api } from './context.ts'

const always = ['chassis', 'nodes', 'ports', 'drivers']

export function rootRoutes(app: Api): void {
  app.get('/', (call) => {
    const version = versionDocument(call.var.showing)
    return call.json({
      name: 'OpenStack Ironic API',
      description: 'Bloomery: bare-metal provisioning that speaks the API of OpenStack Ironic.',
      default_version: version,
      versions: [version],
    })
  })
  app.get('/v1', (call) => {
    const { showing } = call.var
    const newer = Object.entries(routeSince).flatMap(([path, { since }]) => {
      const [, name] = /^\/v1\/(\w+)$/.exec(path) ?? []
      return name !== undefined && since <= showing.minor ? [name] : []
    })
    return call.json({
      id: 'v1',
      links: [
        { rel: 'self', href: `${showing.base}/v1/` },
        {
          rel: 'describedby',
          type: 'text/html',
          href: 'https://docs.openstack.org/ironic/latest/contributor/webapi.html',
        },
      ],
      media_types: { base: 'application/json', type: 'application/vnd.openstack.ironic.v1+json' },
      version: versionDocument(showing),
      ...Object.fromEntries([...always, ...newer].map((name) => [name, collectionLinks(showing, name)])),
    })
  })
}

function versionDocument({ base }: Showing) {
  return {
    id: 'v1',
    links: [{ rel: 'self', href: `${base}/v1/` }],
    status: 'CURRENT',
    min_version: versionText(MINIMUM),
    version: versionText(MAXIMUM),
  }
}

function collectionLinks(showing: Showing, name: string): Link[] {
  return links(showing, `${name}/`)
}
