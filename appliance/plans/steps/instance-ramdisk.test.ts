import { expect, it } from 'vitest'
import type { InstanceRamdisk } from '../../../contract/plan-sources.ts'
import type { Bmc } from '../../drivers/bmc.ts'
import { machine, plan } from '../../testing/plans.ts'
import type { StepContext } from '../step.ts'
import { prepareInstanceRamdisk } from './instance-ramdisk.ts'

const of = (url: string) => ({ url, digest: null })
const both: InstanceRamdisk = { files: { kernel: of('http://x/k'), ramdisk: of('http://x/r') }, cmdline: 'quiet' }
const iso: InstanceRamdisk = { files: { boot_iso: of('http://x/live.iso') }, cmdline: '' }

/** What the step tells ledger and BMC. */
async function told(args: InstanceRamdisk, boot: string, secureBoot = false): Promise<unknown[]> {
  const calls: unknown[] = []
  const bmc = {
    setBootDevice: async (device: string, { persistent }: { persistent: boolean }) =>
      void calls.push([device, persistent]),
    more: { attachMedia: async (device: string, url: string) => void calls.push([device, url]) },
  }
  const on: Partial<Record<keyof StepContext, unknown>> = {
    plan: plan(machine({ driver: 'redfish', interfaces: { boot } }), 1, []),
    note: () => {},
    observed: () => {},
    bmc: async () => bmc as unknown as Bmc,
    agents: { wipe: () => {} },
    images: { file: async ({ url }: { url: string }) => `cached ${url}` },
    machines: {
      boot: () => ({ secureBoot }),
      bootToken: () => 'token',
      setBoot: (_node: string, _generation: number, { mode, instance }: { mode: string; instance: unknown }) =>
        void calls.push([mode, instance]),
    },
    media: { instanceUrl: (token: string) => `http://site/boot/${token}/instance.iso` },
  }
  await prepareInstanceRamdisk(args, on as unknown as StepContext)
  return calls
}

it('fetches kernel and ramdisk first, then has the machine boot them from the network at every start', async () => {
  const instance = { kernel: 'cached http://x/k', initrd: 'cached http://x/r', cmdline: 'quiet' }
  expect(await told(both, 'ipxe')).toEqual([
    ['instance', instance],
    ['pxe', true],
  ])
})

it('inserts an ISO into the virtual drive, to be booted at every start', async () => {
  expect(await told(iso, 'redfish-virtual-media')).toEqual([
    ['instance', { iso: 'cached http://x/live.iso', cmdline: '', byMedium: true }],
    ['cdrom', 'http://site/boot/token/instance.iso'],
    ['cdrom', true],
  ])
})

it('refuses an ISO by network under Secure Boot, before anything is touched', async () => {
  await expect(told(iso, 'ipxe', true)).rejects.toThrow(/Secure Boot doesn't start/)
  expect(await told(iso, 'redfish-virtual-media', true)).toHaveLength(3)
})
