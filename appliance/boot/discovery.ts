import { createHmac, timingSafeEqual } from 'node:crypto'
import { macFromBytes, macToBytes } from '@bloomery/wire/address.ts'
import { WireError } from '@bloomery/wire/error.ts'
import type { BootDirectory, BootMachine } from './machine.ts'

export interface Discovery {
  active: boolean
  /** An unknown machine, as if a plan had told to boot its ramdisk. */
  machine(mac: string, arch: BootMachine['arch']): BootMachine
  token(mac: string, arch: BootMachine['arch']): string
  byToken(token: string): { machine: BootMachine; mac: string } | undefined
}

/** Tokens of unknown machines carry what they stand for, signed, so that a flood of unknown MACs takes no memory. */
export function startDiscovery(options: { cmdline: string; secret: Uint8Array; directory: BootDirectory }): Discovery {
  const { cmdline, secret, directory } = options
  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url')
  const machine: Discovery['machine'] = (mac, arch) => ({
    node: 'unknown',
    generation: 0,
    macs: [mac],
    arch,
    mode: 'ramdisk',
    ramdisk: { cmdline },
  })
  return {
    active: true,
    machine,
    token(mac, arch) {
      const subject = `${arch}~${Buffer.from(macToBytes(mac)).toString('hex')}`
      return `${subject}~${sign(subject)}`
    },
    byToken(token) {
      const [arch, hex = '', signature = ''] = token.split('~')
      if (arch !== 'x86_64' && arch !== 'aarch64') return undefined
      if (!same(signature, sign(`${arch}~${hex}`))) return undefined
      const mac = macFromBytes(Buffer.from(hex, 'hex'))
      // It was enrolled meanwhile: from now on its plans decide.
      return directory.byMac(mac) === undefined ? { machine: machine(mac, arch), mac } : undefined
    },
  }
}

/** Nobody gets in while a site doesn't discover. */
export const noDiscovery: Discovery = {
  active: false,
  machine: () => {
    throw new WireError('this site does not discover machines')
  },
  token: () => {
    throw new WireError('this site does not discover machines')
  },
  byToken: () => undefined,
}

function same(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
