import { createHash } from 'node:crypto'

/** Where the services are. They share one address, so that the catalogue is a table and its ids follow from the names in it. */

const services = [
  { type: 'baremetal', name: 'ironic', description: 'Bare metal', path: '' },
  { type: 'compute', name: 'nova', description: 'Compute', path: '/compute/v2.1' },
  { type: 'image', name: 'glance', description: 'Images', path: '/image' },
  { type: 'placement', name: 'placement', description: 'Placement', path: '/placement' },
  { type: 'network', name: 'neutron', description: 'Networking', path: '/network' },
  { type: 'block-storage', name: 'cinder', description: 'Volumes', path: '/volume/v3' },
  // What Debian's clients look for.
  { type: 'volumev3', name: 'cinderv3', description: 'Volumes', path: '/volume/v3' },
  { type: 'identity', name: 'keystone', description: 'Identity', path: '/identity' },
] as const
const interfaces = ['public', 'internal', 'admin'] as const
export const REGION = 'RegionOne'

export interface Endpoint {
  id: string
  service_id: string
  interface: (typeof interfaces)[number]
  region: string
  region_id: string
  url: string
  enabled: boolean
}
export interface Service {
  id: string
  type: string
  name: string
  description: string
  enabled: boolean
}

const idOf = (text: string): string => createHash('sha256').update(`catalogue ${text}`).digest('hex').slice(0, 32)

export function listServices(): Service[] {
  return services.map(({ type, name, description }) => ({ id: idOf(type), type, name, description, enabled: true }))
}

export function listEndpoints(base: string): Endpoint[] {
  return services.flatMap(({ type, path }) =>
    interfaces.map((each) => ({
      id: idOf(`${type} ${each}`),
      service_id: idOf(type),
      interface: each,
      region: REGION,
      region_id: REGION,
      url: base + path,
      enabled: true,
    })),
  )
}

/** As tokens carry it. */
export function catalogue(base: string) {
  const endpoints = listEndpoints(base)
  return listServices().map(({ id, type, name }) => ({
    id,
    type,
    name,
    endpoints: endpoints
      .filter(({ service_id }) => service_id === id)
      .map(({ service_id: _service, enabled: _enabled, ...endpoint }) => endpoint),
  }))
}
