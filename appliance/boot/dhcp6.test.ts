import { expect, test } from 'vitest'
import type { DhcpRequest } from '@bloomery/dhcp6/request.ts'
import { bootConfig6 } from './config6.ts'
import { answerFor } from './dhcp6.ts'
import { noDiscovery } from './discovery.ts'
import type { BootMachine } from './machine.ts'
import { bootUrls } from './urls.ts'

const MAC = '52:54:00:00:00:01'
const machine: BootMachine = { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64', mode: 'ramdisk' }

function answer(change: Partial<DhcpRequest>, of: BootMachine | undefined = machine): ReturnType<typeof answerFor> {
  const request: DhcpRequest = {
    type: 'solicit',
    transaction: 1,
    associations: [],
    rapidCommit: false,
    relays: [],
    mac: MAC,
    vendorClass: 'PXEClient:Arch:00007:UNDI:003000',
    architecture: 7,
    userClasses: [],
    ...change,
  }
  return answerFor(
    {
      config: bootConfig6.parse({ address: 'fd00::1', links: [{ prefix: 'fd00::/64' }] }),
      directory: {
        byMac: () => of,
        byBootToken: () => undefined,
        bySpentToken: () => undefined,
        bootToken: () => 'token',
      },
      discovery: noDiscovery,
      policy: { unknownMachines: 'ignore', hasLoader: () => true, hasRamdisk: () => true },
      urls: bootUrls('http://[fd00::1]:8080'),
    },
    request,
  )
}

test.each([
  ['PXE firmware', {}, 'tftp://[fd00::1]/snponly.efi', false],
  [
    'HTTP firmware',
    { vendorClass: 'HTTPClient:Arch:00016', architecture: 16 },
    'http://[fd00::1]:8080/loader/snponly.efi',
    true,
  ],
  ['iPXE', { userClasses: ['iPXE'] }, 'http://[fd00::1]:8080/boot/token/script.ipxe', false],
])('%s is told a URL that it can fetch', (_, change, bootUrl, httpClient) => {
  expect(answer(change)).toMatchObject({ serve: true, bootUrl, httpClient })
})

test('an operating system gets an address and nothing to boot', () => {
  expect(answer({ vendorClass: '' })).toMatchObject({ serve: true, bootUrl: undefined })
})

test.each([
  ['that nothing names', answer({ mac: undefined }), 'let the relay add option 79'],
  ['under Secure Boot', answer({}, { ...machine, secureBoot: true }), 'Secure Boot is served over IPv4'],
])('a machine %s hears nothing, and the log says why', (_, said, because) => {
  expect(said).toMatchObject({ serve: false, because: expect.stringContaining(because) as string })
})
