import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Call } from '../openstack/context.ts'
import type { ServerUpdate } from './server-input.ts'

/** What a server is called and reached by, which its owner may change whenever he likes. */

/** The microversion from which people choose host names, and see them. */
export const HOSTNAMES = 90
/** From which on these may have a domain. */
const WITH_DOMAIN = 94

export function requireHostnames(call: Call, { hostname }: Pick<ServerUpdate, 'hostname'>): void {
  if (hostname === undefined) return
  if (call.var.minor < HOSTNAMES)
    throw new UserError(
      400,
      `Additional properties are not allowed ('hostname' was unexpected): it needs 2.${HOSTNAMES}.`,
    )
  if (hostname.includes('.') && call.var.minor < WITH_DOMAIN)
    throw new UserError(400, `hostname: one label, without a dot; a domain name needs 2.${WITH_DOMAIN}.`)
}

/** A port's DNS name, whose domain is that of its network. */
export const labelOf = (hostname: string): string => hostname.replace(/\..*/, '')

export function accessOf({ accessIPv4, accessIPv6 }: ServerUpdate): Partial<Server> {
  return {
    ...(accessIPv4 === undefined ? {} : { access_ipv4: accessIPv4 }),
    ...(accessIPv6 === undefined ? {} : { access_ipv6: accessIPv6 }),
  }
}

export function changesOf(given: ServerUpdate): Partial<Server> {
  const { name, hostname, description } = given
  return {
    ...(name === undefined ? {} : { name }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(description === undefined ? {} : { description: description ?? null }),
    ...accessOf(given),
  }
}

export function hostName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[ _.]/g, '-')
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/^-+|-+$/g, '')
  return plain.slice(0, 63) || 'server'
}
