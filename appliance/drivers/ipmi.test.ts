import { noBootFlags } from '@bloomery/ipmi/boot-parameters.ts'
import { connect } from '@bloomery/ipmi/client.ts'
import { raw } from '@bloomery/ipmi/command.ts'
import { startBmc } from '@bloomery/ipmi/server.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { BmcManagement, Stage } from './bmc.ts'
import { openIpmiDriver } from './ipmi.ts'

const memory = (): Stage['memory'] => {
  let kept: string | undefined
  return { read: () => kept, write: (state) => void (kept = state) }
}
const stage: Stage = {
  clock: new ManualClock(),
  delays: () => 0,
  memory: memory(),
  signal: new AbortController().signal,
}
const login = { username: 'admin', password: 'secret', privilege: 'administrator' } as const

async function site() {
  const chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: login.username, password: login.password, privilege: login.privilege }]
  const [blade, card] = [paperChassis(), paperChassis()]
  const behind = { channel: 7, address: 0x72, chassis: card }
  const satellites = [{ channel: 0, address: 0x82, chassis: blade, satellites: [behind] }]
  const options = { users, chassis, satellites, onError, ipmi15: true, cipherSuites: [2, 17] as const }
  const bmc = await startBmc({ host: '127.0.0.1', port: 0, ...options })
  const driver = openIpmiDriver()
  onTestFinished(async () => {
    await driver.close()
    await bmc.close()
  })
  const info = { ipmi_address: '127.0.0.1', ipmi_port: bmc.port, ipmi_username: 'admin', ipmi_password: 'secret' }
  const connectBmc = (more: object, on = stage) => driver.connect({ ...info, ...more }, on)
  const logIn = (password: string) => {
    const one = openIpmiDriver()
    onTestFinished(() => one.close())
    return one.connect({ ...info, ipmi_password: password }, stage)
  }
  return { bmc, chassis, blade, card, connectBmc, logIn }
}

it.each([{ ipmi_protocol_version: '1.5' }, { ipmi_cipher_suite: '2' }, { ipmi_cipher_suite: 17 }, {}])(
  'power is read and set with %j',
  async (options) => {
    const { chassis, connectBmc } = await site()
    const bmc = await connectBmc(options)
    expect(await bmc.power()).toBe('power off')
    await bmc.control('on')
    expect(chassis.told).toEqual(['on'])
  },
)

it.each([
  { ipmi_protocol_version: '3' },
  { ipmi_cipher_suite: 4 },
  { ipmi_disable_boot_timeout: 'perhaps' },
  { ipmi_force_boot_device: 'now and then' },
])('the setting %j is refused by name', async (options) => {
  const { connectBmc } = await site()
  const asked = (async () => (await connectBmc(options)).power())()
  await expect(asked).rejects.toThrow(HardwareError)
  await expect(asked).rejects.toThrow(Object.keys(options)[0])
})

/** Get System Boot Options, parameter 3, bit 3: without a power command the choice is kept (IPMI 2.0 table 28-14). */
it.each([
  [{}, 0x08],
  [{ ipmi_disable_boot_timeout: 'False' }, 0x00],
])('the boot timeout of a BMC: %j leaves it at %i', async (options, kept) => {
  const { bmc, chassis, connectBmc } = await site()
  await (await connectBmc(options)).setBootDevice('pxe', { persistent: false, uefi: true })
  expect(chassis.flags.boot.device).toBe(1)
  const socket = openIpmiSocket()
  onTestFinished(() => socket.close())
  const session = await connect({ socket, host: '127.0.0.1', port: bmc.port, timeoutMs: 30_000, ...login })
  const answer = await session.send(raw(0x00, 0x09), Uint8Array.of(3, 0, 0))
  expect(answer[2]).toBe(kept)
  await session.close()
})

/** Of the boot flags parameter: valid, device (IPMI 2.0 table 28-14). */
it('a BMC that forgets its boot device is told it at each start, but for a start that has a device of its own', async () => {
  const { chassis, connectBmc } = await site()
  const on = { ...stage, memory: memory() }
  const bmc = await connectBmc({ ipmi_force_boot_device: 'true' }, on)
  const forgotten = async () => {
    chassis.flags = noBootFlags
    await bmc.control('on')
    return chassis.flags.boot.device
  }
  expect(await forgotten()).toBe(0)
  await bmc.setBootDevice('disk', { persistent: true, uefi: true })
  expect([await forgotten(), await forgotten()]).toEqual([2, 2])
  expect(chassis.flags.flags).toEqual({ valid: true, persistent: false, uefi: true })
  await bmc.setBootDevice('pxe', { persistent: false, uefi: true })
  await bmc.control('on')
  expect(chassis.flags.boot.device).toBe(1)
  // Another life of the appliance, with what the first one left.
  const next = await connectBmc({ ipmi_force_boot_device: true }, on)
  chassis.flags = noBootFlags
  await next.control('reset')
  expect(chassis.flags.boot.device).toBe(2)
})

describe('a machine behind the BMC', () => {
  const bridge = { ipmi_bridging: 'single', ipmi_target_channel: '0', ipmi_target_address: '0x82' }
  const behind = { ipmi_bridging: 'dual', ipmi_target_channel: 7, ipmi_target_address: 114 }
  const dual = { ...behind, ipmi_transit_channel: 0, ipmi_transit_address: '0x82', ipmi_local_address: '0x20' }

  it('is driven through it, each by its own', async () => {
    const { chassis, blade, card, connectBmc } = await site()
    for (const options of [{}, bridge, dual]) await (await connectBmc(options)).control('on')
    await (await connectBmc(bridge)).setBootDevice('pxe', { persistent: true, uefi: true })
    expect([chassis.told, blade.told, card.told]).toEqual([['on'], ['on'], ['on']])
    expect([chassis, blade, card].map(({ flags }) => flags.boot.device)).toEqual([0, 1, 0])
  })

  it('has no users: those are of the BMC that takes the log-in', async () => {
    const { connectBmc } = await site()
    const { users, password } = (await connectBmc(bridge)).more as BmcManagement
    expect(await users()).toEqual(['admin'])
    await password.set('another')
    expect(await password.works('another')).toBe(true)
  })

  it('that is not told whole is refused by what is missing', async () => {
    const { connectBmc } = await site()
    const asked = (await connectBmc({ ...dual, ipmi_transit_address: undefined })).power()
    await expect(asked).rejects.toThrow('driver_info/ipmi_transit_address is needed for bridging dual')
  })
})

it('without that option the BMC is told once', async () => {
  const { chassis, connectBmc } = await site()
  const bmc = await connectBmc({}, { ...stage, memory: memory() })
  await bmc.setBootDevice('disk', { persistent: true, uefi: true })
  chassis.flags = noBootFlags
  await bmc.control('on')
  expect(chassis.flags).toEqual(noBootFlags)
})

describe('the password', () => {
  it('of the user that we log in as is changed; the old one no longer works', async () => {
    const { connectBmc, logIn } = await site()
    const { password } = (await connectBmc({})).more as Pick<BmcManagement, 'password'>
    expect(password.key).toBe('ipmi_password')
    await password.set('Aa1-of-20-characters')
    expect([await password.works('Aa1-of-20-characters'), await password.works('secret')]).toEqual([true, false])
    expect(await (await logIn('Aa1-of-20-characters')).power()).toBe('power off')
    const old = await logIn('secret')
    // The session from before can still put the old one back.
    await password.set('secret')
    expect(await old.power()).toBe('power off')
    await password.set('Aa1-of-20-characters')
    await expect((await logIn('secret')).power()).rejects.toThrow(/incorrect password for user "admin"/)
  })

  it('of IPMI 1.5 has room for 16 bytes, and is changed too', async () => {
    const { connectBmc } = await site()
    const more = (await connectBmc({ ipmi_protocol_version: '1.5' })).more!
    const { password } = more as Pick<BmcManagement, 'password'>
    expect(password.room).toBe(16)
    await password.set('Aa1-16characters')
    expect(await password.works('Aa1-16characters')).toBe(true)
  })

  it('can not be tried on a BMC that does not answer: that is an error, not a no', async () => {
    const { connectBmc } = await site()
    const { password } = (await connectBmc({ ipmi_priv_level: 'USER' })).more as Pick<BmcManagement, 'password'>
    await expect(password.set('anything')).rejects.toThrow(/insufficient privilege/)
    await expect((await connectBmc({ ipmi_address: 'no such host' })).more!.password!.works('x')).rejects.toThrow(
      HardwareError,
    )
  })
})

describe('maintenance', () => {
  async function more() {
    const made = await site()
    return { ...made, more: (await made.connectBmc({})).more as BmcManagement }
  }

  it('tells users and version, and clears the log', async () => {
    const { more: bmc } = await more()
    expect(await bmc.users()).toEqual(['admin'])
    expect((await bmc.readHardware()).firmware).toMatchObject([{ component: 'bmc', version: '1.00' }])
    await bmc.sendRaw([0x0a, 0x44, 0, 0, 2, 0, 0, 0, 0, 0x41, 0, 4, 1, 1, 1, 0x59, 0x2d, 0x28])
    expect([...(await bmc.sendRaw([0x0a, 0x40]))].slice(1, 3)).toEqual([1, 0])
    await bmc.clearEventLog()
    expect([...(await bmc.sendRaw([0x0a, 0x40]))].slice(1, 3)).toEqual([0, 0])
  })

  it('sets the clock, and how far its time is from UTC', async () => {
    const { more: bmc } = await more()
    await bmc.setClock('2031-07-04T10:20:30Z', '-01:30')
    const seconds = new DataView(Uint8Array.from(await bmc.sendRaw([0x0a, 0x48])).buffer).getUint32(0, true)
    expect(seconds).toBe(Date.parse('2031-07-04T08:50:30Z') / 1000)
  })

  it.each(['warm', 'cold', undefined] as const)('resets the BMC (%s), which then has no sessions', async (how) => {
    const { bmc, more: management, connectBmc } = await more()
    await management.resetBmc(how)
    expect(bmc.sessions().active).toBe(0)
    expect(await (await connectBmc({})).power()).toBe('power off')
  })

  it('says which raw command the BMC declined', async () => {
    const { more: bmc } = await more()
    await expect(bmc.sendRaw([0x3e, 0x01])).rejects.toThrow(/raw 0x3e 0x01: completion code 0xc1/)
  })
})
