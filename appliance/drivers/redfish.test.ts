import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@bloomery/redfish/clock.ts'
import { type RunningRedfish, startRedfish } from '@bloomery/redfish/server.ts'
import { dialects } from '@bloomery/redfish/service/dialect.ts'
import { type PaperMachine, paperMachine } from '@bloomery/redfish/testing/paper-machine.ts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, DriverInfo, Memory } from './bmc.ts'
import { openRedfishDriver, type RedfishDriver } from './redfish.ts'

/** As soon as it is so, however busy the machine. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000 })

const onceOnly = dialects.find(({ name }) => name === 'gigabyte')!
const users = [{ name: 'admin', password: 'paper-secret' }]

let driver: RedfishDriver
let machine: PaperMachine
let server: RunningRedfish
/** What the appliance keeps of the machine. */
let kept: string | undefined
beforeEach(async () => {
  driver = openRedfishDriver()
  kept = undefined
  machine = paperMachine()
  await start()
})
afterEach(async () => {
  await driver.close()
  await server.close()
})

async function start(dialect = dialects[0]): Promise<void> {
  const onError = (error: unknown): never => {
    throw error
  }
  // Its tasks end ten times as soon.
  const clock = { ...systemClock, now: () => performance.now() * 10 }
  server = await startRedfish({ host: '127.0.0.1', port: 0, users, machine, dialect, clock, onError })
}

function bmc(more: DriverInfo = {}): Promise<Bmc> {
  const info = { redfish_address: server.url, redfish_username: 'admin', redfish_password: 'paper-secret', ...more }
  const memory: Memory = { read: () => kept, write: (state) => (kept = state) }
  return (driver.connect as (info: DriverInfo, stage: { memory: Memory }) => Promise<Bmc>)(info, { memory })
}

describe('a machine with a Redfish BMC', () => {
  it('is switched on and off', async () => {
    const of = await bmc()
    expect(await of.power()).toBe('power off')
    await of.control('on')
    expect(await of.power()).toBe('power on')
    await of.control('reset')
    await of.control('soft')
    expect(machine.resets).toEqual(['On', 'ForceRestart', 'GracefulShutdown'])
  })

  it('boots from the network once and from its disk for good', async () => {
    const of = await bmc({ redfish_system_id: '/redfish/v1/Systems/1' })
    expect(await of.bootDevice()).toBeNull()
    await of.setBootDevice('pxe', { persistent: false, uefi: true })
    expect(await of.bootDevice()).toEqual({ boot_device: 'pxe', persistent: false })
    await of.setBootDevice('disk', { persistent: true, uefi: false })
    expect(await of.bootDevice()).toEqual({ boot_device: 'disk', persistent: true })
    expect(machine.override).toEqual({ target: 'Hdd', enabled: 'Continuous', mode: 'Legacy' })
  })

  it('is told its boot device again at each start when the BMC forgets it after one', async () => {
    await server.close()
    await start(onceOnly)
    const of = await bmc()
    await of.setBootDevice('disk', { persistent: true, uefi: true })
    expect(await of.bootDevice()).toEqual({ boot_device: 'disk', persistent: true })
    machine.override = { target: 'None', enabled: 'Disabled', mode: 'UEFI' } // it has started meanwhile
    await of.control('on')
    expect(machine.override).toMatchObject({ target: 'Hdd', enabled: 'Once' })
    // Also by the next life of the appliance.
    await driver.close()
    driver = openRedfishDriver()
    machine.override = { target: 'None', enabled: 'Disabled', mode: 'UEFI' }
    await (await bmc()).control('reset')
    expect(machine.override).toMatchObject({ target: 'Hdd', enabled: 'Once' })
    await (await bmc()).setBootDevice('pxe', { persistent: false, uefi: true })
    expect(await (await bmc()).bootDevice()).toEqual({ boot_device: 'pxe', persistent: false })
  })

  it('shares one session between all that ask', async () => {
    await Promise.all([(await bmc()).power(), (await bmc()).power(), (await bmc()).bootDevice()])
    expect(server.state.sessions.size).toBe(1)
    await driver.close()
    expect(server.state.sessions.size).toBe(0)
  })
})

describe('beside power and boot device', () => {
  it('has the firmware start from a URL once', async () => {
    const url = 'http://192.0.2.1:8080/boot/t/boot.iso'
    await (
      await bmc()
    ).more!.bootFromUrl!(url)
    expect(machine.override).toMatchObject({ target: 'UefiHttp', enabled: 'Once', mode: 'UEFI', uri: url })
  })

  it('reads what the BMC has, and leaves out what it lacks', async () => {
    const facts = await (await bmc()).more!.readHardware!()
    expect(facts).toMatchObject({ boot_mode: 'uefi', secure_boot: false, firmware: [{ component: 'bios' }, {}, {}] })
    expect(facts.bios!.map(({ name }) => name)).toContain('NumLock')
    expect(facts.indicators!.slice(0, 2).map(({ component, state }) => [component, state])).toEqual([
      ['system', 'off'],
      ['chassis', 'off'],
    ])
  })

  it('updates what it is told to, and nothing else', async () => {
    await (
      await bmc()
    ).more!.updateFirmware!('bios', 'http://files/image-3.0.0.bin', () => {})
    expect([...server.state.firmware].map(([id, { version }]) => [id, version])).toEqual([
      ['BMC', '1.0.0'],
      ['BIOS', '3.0.0'],
    ])
  })

  it('passes firmware through to a BMC that takes it by push only', async () => {
    await server.close()
    await start(dialects.find(({ name }) => name === 'dell'))
    const image = Buffer.alloc(200_000, 'firmware')
    const files = createServer((request, response) => {
      response.writeHead(request.url === '/idrac-5.1.0.bin' ? 200 : 404, { 'content-length': image.length })
      response.end(request.method === 'HEAD' ? undefined : image)
    })
    await new Promise<void>((resolve) => void files.listen(0, '127.0.0.1', resolve))
    const { port } = files.address() as AddressInfo
    const { more } = await bmc()
    await more!.updateFirmware!('bmc', `http://127.0.0.1:${port}/idrac-5.1.0.bin`, () => {})
    expect(server.state.firmware.get('BMC')?.version).toBe('5.1.0')
    const gone = more!.updateFirmware!('bmc', `http://127.0.0.1:${port}/other.bin`, () => {})
    await expect(gone).rejects.toThrow(/the firmware's server 127\.0\.0\.1:\d+ answers 404; check the URL/)
    files.close()
  })

  it('tells at once when power may have changed, and where it can not', async () => {
    const ended = new AbortController()
    let hints = 0
    const of = await bmc()
    const listening = of.more!.listen!(() => void (hints += 1), ended.signal)
    await soon(() => expect(hints).toBe(1))
    await of.control('on')
    await soon(() => expect(hints).toBe(2))
    const elsewhere = { text: 'On', messageId: 'ResourceEvent.1.3.0.ResourcePoweredOn' }
    server.state.events.emit({ ...elsewhere, origin: '/redfish/v1/Systems/7' })
    server.state.events.emit({ text: 'Warm', messageId: 'Alert.1.0.0.TooWarm', origin: '/redfish/v1/Systems/1' })
    server.state.events.emit({ ...elsewhere, origin: '/redfish/v1/Chassis/1' })
    await soon(() => expect(hints).toBe(3))
    ended.abort()
    await listening
    await server.close()
    await start(dialects.find(({ name }) => name === 'hpe'))
    const none = (await bmc()).more!.listen!(() => {}, AbortSignal.timeout(30_000))
    await expect(none).rejects.toThrow(/listen to events: the BMC sends no events/)
  })

  it('refuses to update what it does not know', async () => {
    const asked = (await bmc()).more!.updateFirmware!('toaster', 'http://files/x.bin', () => {})
    await expect(asked).rejects.toThrow(/toaster is none of bios, bmc, nic:<id>/)
  })
})

describe('what goes wrong', () => {
  it('is a sentence with BMC, operation and remedy, and never the password', async () => {
    const of = await bmc({ redfish_password: 'not-the-password' })
    const error = await of.power().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HardwareError)
    const { message } = error as HardwareError
    expect(message).toMatch(
      /^BMC 127\.0\.0\.1:\d+, log in: user "admin" or its password is not accepted.*correct them$/,
    )
    expect(message).not.toContain('not-the-password')
  })

  it.each([
    [{ redfish_address: 'ftp://bmc' }, /http/],
    [{ redfish_auth_type: 'kerberos' }, /driver_info\/redfish_auth_type/],
    [{ redfish_verify_ca: '/nonexistent/ca.pem' }, /redfish_verify_ca.*\/nonexistent\/ca\.pem/],
    [{ redfish_system_id: '7' }, /find system: HTTP 404.*check the system id/],
  ])('%j is said to be it', async (more, why) => {
    await expect((await bmc(more)).power()).rejects.toThrow(why)
  })

  it('refuses boot devices that Redfish has no word for', async () => {
    await expect((await bmc()).setBootDevice('safe', { persistent: false, uefi: true })).rejects.toThrow(
      /no boot device safe/,
    )
  })
})
