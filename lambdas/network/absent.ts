import { UserError } from '../../contract/api/faults.ts'
import type { Service } from '../openstack/context.ts'
import { PATH } from './networks.ts'

/** What bare metal has no use for, or what no site can do: said so, where clients ask. */

const aliases = [
  'binding',
  'dns-integration',
  'extra_dhcp_opt',
  'external-net',
  'net-mtu',
  'port-security',
  'provider',
  'security-group',
  'segment',
  'standard-attr-description',
  'standard-attr-revisions',
  'standard-attr-tag',
  'standard-attr-timestamp',
  'trunk',
  'trunk-details',
]

/** Resources that a gateway driver of a site would have to make. */
const gateways = ['routers', 'floatingips']

export function absentRoutes(app: Service): void {
  app.get(`${PATH}/extensions`, (call) => call.json({ extensions: aliases.map(extension) }))
  app.get(`${PATH}/extensions/:alias`, (call) => {
    const alias = call.req.param('alias')
    if (!aliases.includes(alias)) throw new UserError(404, `Extension with alias ${alias} does not exist`)
    return call.json({ extension: extension(alias) })
  })
  for (const name of gateways) {
    app.get(`${PATH}/${name}`, (call) => call.json({ [name]: [] }))
    app.post(`${PATH}/${name}`, () => {
      throw new UserError(
        501,
        `No site has a gateway driver, so that there are no ${name}: route on the site's own routers.`,
      )
    })
  }
}

const extension = (alias: string) => ({
  alias,
  name: alias,
  description: '',
  links: [],
  updated: '2026-01-01T00:00:00-00:00',
})
