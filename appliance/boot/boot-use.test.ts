import { expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { bootUse } from './boot-use.ts'
import { noDiscovery } from './discovery.ts'
import type { BootMachine } from './machine.ts'

const MAC = '52:54:00:00:00:01'
const OTHER = '52:54:00:00:00:02'
const machine: BootMachine = { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64', mode: 'ramdisk' }

function site(boot: BootMachine | undefined = machine) {
  const told: string[] = []
  const owners = new Map([
    [ipv4FromText('10.1.0.7'), MAC],
    [ipv4FromText('10.1.0.8'), OTHER],
  ])
  const silent = (): void => {}
  const use = bootUse({
    directory: {
      bySpentToken: (token) => (token === 'spent' ? { node: 'n1', mac: MAC } : undefined),
      byBootToken: (token) => (token === 'good' && boot !== undefined ? { machine: boot, mac: MAC } : undefined),
    },
    discovery: noDiscovery,
    leases: {
      byAddress(address) {
        const mac = owners.get(address)
        return mac === undefined ? undefined : { address, mac, state: 'bound', expires: 0 }
      },
    },
    addresses6: { macAt: (address) => (address === 'fd00::8' ? OTHER : undefined) },
    notices: { tell: (_, { text }) => void told.push(text) },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  })
  return { use, told }
}

test.each(['10.1.0.7', '::ffff:10.1.0.7', '10.1.0.99', 'fd00::7', undefined])(
  'the card of a boot may use its URLs from %s, as may one of which no lease tells',
  (client) => {
    const { use, told } = site()
    expect(use.allowed('good', 'kernel', client)).toEqual({ machine, mac: MAC })
    expect(told).toEqual([])
  },
)

test.each([
  [
    'another card',
    'good',
    '10.1.0.8',
    `the kernel of the boot of ${MAC} was asked for by ${OTHER} at 10.1.0.8, and refused`,
  ],
  [
    'another card over IPv6',
    'good',
    'fd00::8',
    `the kernel of the boot of ${MAC} was asked for by ${OTHER} at fd00::8, and refused`,
  ],
  [
    'after its boot',
    'spent',
    '10.1.0.7',
    `the kernel of a boot of ${MAC} that is over was asked for by itself, and refused`,
  ],
])('%s is refused, and people hear of it', (_, token, client, text) => {
  const { use, told } = site()
  expect(use.allowed(token, 'kernel', client)).toBeUndefined()
  expect(told).toEqual([text])
})

const instance = { ...machine, mode: 'instance', instance: { kernel: 'k', initrd: 'i', cmdline: '' } } as const
test('what an instance boots is had by its card again and again, and by no other', () => {
  const { use, told } = site({ ...instance, macs: [MAC] })
  for (const part of ['script', 'kernel', 'script', 'kernel'])
    expect(use.allowed('good', part, '10.1.0.7')).toMatchObject({ mac: MAC })
  expect(use.allowed('good', 'kernel', '10.1.0.8')).toBeUndefined()
  expect(told).toHaveLength(1)
})

test('an ISO in the virtual drive is read by the BMC, whatever card that has', () => {
  const { use } = site({ ...instance, macs: [MAC], instance: { iso: 'live', cmdline: '', byMedium: true } })
  expect(use.allowed('good', 'instance.iso', '10.1.0.8')).toMatchObject({ mac: MAC })
})

test('so is the medium of our own ramdisk, until its machine goes on: then people hear of it', () => {
  const { use, told } = site()
  expect(use.allowed('good', 'boot.iso', '10.1.0.8')).toMatchObject({ mac: MAC })
  expect(use.allowed('spent', 'boot.iso', '10.9.9.9')).toBeUndefined()
  expect(told).toEqual([
    `the boot.iso of a boot of ${MAC} that is over was asked for by an unknown card at 10.9.9.9, and refused`,
  ])
})

test('a made-up token is refused, and nobody is bothered', () => {
  const { use, told } = site()
  expect(use.allowed('made-up', 'kernel', '10.1.0.8')).toBeUndefined()
  expect(told).toEqual([])
})
