import { networkInterfaces } from 'node:os'
import type { BootConfig } from '../boot/config.ts'
import { provisioningInterfaces } from '../check/network.ts'

/** Where machines are heard: what was asked for, else the one provisioning interface. */
export function captureInterface(config: BootConfig, asked: string | undefined): string {
  const interfaces = networkInterfaces()
  const known = provisioningInterfaces(config, interfaces)
  if (asked !== undefined) {
    if (!/^[\w.-]{1,15}$/.test(asked)) throw new Error(`${asked} is no name of an interface`)
    return asked
  }
  const [only, ...others] = known
  if (only === undefined) throw new Error('no interface has an address of the configured subnets: say --interface')
  if (others.length > 0) throw new Error(`machines are on ${known.join(', ')}: say which with --interface`)
  return only
}
