import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readBios, readAttributeRegistry, checkAttributes, resetBios, setBios } from './bios.ts'
import { readBoot, setBoot } from './boot.ts'
import { readBootMode, setBootMode } from './boot-mode.ts'
import { connect, type Redfish } from './client.ts'
import { readPower, reset } from './power.ts'
import { readSecureBoot, resetSecureBootKeys, setSecureBoot } from './secure-boot.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { dialects } from './service/dialect.ts'
import { findSystem, type System } from './system.ts'
import { type PaperMachine, paperMachine } from './testing/paper-machine.ts'
import { ejectMedia, insertMedia, listMedia } from './virtual-media.ts'

const users = [{ name: 'admin', password: 'paper-secret' }]
/** Waiting as the library does, but not for so long. */
const hasty = {
  now: () => performance.now(),
  after: (ms: number, run: () => void) => stopper(setTimeout(run, ms > 1000 ? ms / 500 : ms)),
}

function stopper(timer: NodeJS.Timeout): () => void {
  return () => clearTimeout(timer)
}

describe.each(dialects)('a BMC that speaks as $name', (dialect) => {
  let machine: PaperMachine
  let server: RunningRedfish
  let bmc: Redfish
  let system: System
  const faults: unknown[] = []

  beforeEach(async () => {
    machine = paperMachine()
    server = await startRedfish({
      host: '127.0.0.1',
      port: 0,
      users,
      machine,
      dialect,
      onError: (error) => faults.push(error),
    })
    bmc = await connect({
      address: server.url,
      username: 'admin',
      password: 'paper-secret',
      timeoutMs: 600_000,
      clock: hasty,
    })
    system = await findSystem(bmc)
  })
  afterEach(async () => {
    await bmc.close()
    await server.close()
    expect(faults).toEqual([])
  })

  it('switches power on and off, at once and gently', async () => {
    await reset(bmc, system, 'on')
    expect(await readPower(bmc, system)).toBe('on')
    await reset(bmc, system, 'restart')
    await reset(bmc, system, 'soft off')
    expect(await readPower(bmc, system)).toBe('off')
    await reset(bmc, system, 'on')
    await reset(bmc, system, 'off')
    await reset(bmc, system, 'on')
    await reset(bmc, system, 'nmi')
    expect(machine.resets).toEqual(['On', 'ForceRestart', 'GracefulShutdown', 'On', 'ForceOff', 'On', 'Nmi'])
  })

  it('boots from the network once, and from the disk as long as it can', async () => {
    await setBoot(bmc, system, { target: 'Pxe', enabled: 'Once', mode: 'UEFI' })
    expect(machine.override).toMatchObject({ target: 'Pxe', enabled: 'Once', mode: 'UEFI' })
    await setBoot(bmc, system, { target: 'Cd', enabled: 'Once' })
    expect(machine.override).toMatchObject({ target: 'Cd', enabled: 'Once', mode: 'UEFI' })
    const { enabled } = await setBoot(bmc, system, { target: 'Hdd', enabled: 'Continuous' })
    expect(enabled).toBe(dialect.boot?.onceOnly ? 'Once' : 'Continuous')
    expect(await readBoot(bmc, system)).toMatchObject({ target: 'Hdd', enabled })
  })

  it('changes its boot mode, at once or at the next start', async () => {
    if (dialect.name === 'sushy-tools')
      return expect(setBootMode(bmc, system, 'Legacy')).rejects.toThrow(/set boot mode Legacy.*HTTP 400/)
    if (dialect.boot?.pending) return expect(await readBootMode(bmc, system)).toBe('UEFI')
    const { pending } = await setBootMode(bmc, system, 'Legacy')
    expect(pending).toBe(dialect.bootMode !== undefined)
    await reset(bmc, system, 'on')
    expect(await readBootMode(bmc, system)).toBe('Legacy')
  })

  it('takes a CD, in place of the one that was in', async () => {
    await insertMedia(bmc, system, { type: 'CD', image: 'http://10.0.0.1/old.iso' })
    const slot = await insertMedia(bmc, system, { type: 'CD', image: 'http://10.0.0.1/new.iso' })
    expect(slot).toMatchObject({ inserted: true, image: 'http://10.0.0.1/new.iso' })
    expect(machine.images.get(slot.id)).toBe('http://10.0.0.1/new.iso')
    await ejectMedia(bmc, system)
    expect([...machine.images.values()].filter((image) => image !== undefined)).toEqual([])
    expect((await listMedia(bmc, system)).filter(({ inserted }) => inserted)).toEqual([])
  })

  it('keeps BIOS settings and secure boot for the next start', async () => {
    const { registry } = await readBios(bmc, system)
    const entries = await readAttributeRegistry(bmc, registry!)
    expect(checkAttributes(entries, { NumLock: 'Off', BootTimeout: 7 })).toEqual([])
    expect(checkAttributes(entries, { NumLock: 'Perhaps', BootTimeout: 700, Nonsense: 1 })).toEqual([
      'BIOS attribute NumLock is one of On, Off',
      'BIOS attribute BootTimeout is a number from 0 to 60',
      'there is no BIOS attribute Nonsense',
    ])
    await setBios(bmc, system, { NumLock: 'Off' })
    await setSecureBoot(bmc, system, true)
    expect(await readBios(bmc, system)).toMatchObject({ attributes: { NumLock: 'On' }, pending: { NumLock: 'Off' } })
    expect(await readSecureBoot(bmc, system)).toEqual({ enabled: true, current: 'Disabled', mode: 'UserMode' })
    await reset(bmc, system, 'on')
    expect(await readBios(bmc, system)).toMatchObject({ attributes: { NumLock: 'Off' }, pending: {} })
    expect(await readSecureBoot(bmc, system)).toMatchObject({ current: 'Enabled' })
    await resetBios(bmc, system)
    await resetSecureBootKeys(bmc, system, 'DeletePK')
    expect(await readBios(bmc, system)).toMatchObject({ pending: { NumLock: 'On' } })
    expect(await readSecureBoot(bmc, system)).toMatchObject({ mode: 'SetupMode' })
  })
})
