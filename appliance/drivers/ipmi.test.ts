import { connect } from '@bloomery/ipmi/client.ts'
import { raw } from '@bloomery/ipmi/command.ts'
import { startBmc } from '@bloomery/ipmi/server.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { expect, it, onTestFinished } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Stage } from './bmc.ts'
import { openIpmiDriver } from './ipmi.ts'

const stage: Stage = {
  clock: new ManualClock(),
  delays: () => 0,
  memory: { read: () => undefined, write: () => {} },
  signal: new AbortController().signal,
}
const login = { username: 'admin', password: 'secret', privilege: 'administrator' } as const

async function site() {
  const chassis = paperChassis()
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: login.username, password: login.password, privilege: login.privilege }]
  const options = { users, chassis, onError, ipmi15: true, cipherSuites: [2, 17] as const }
  const bmc = await startBmc({ host: '127.0.0.1', port: 0, ...options })
  const driver = openIpmiDriver()
  onTestFinished(async () => {
    await driver.close()
    await bmc.close()
  })
  const info = { ipmi_address: '127.0.0.1', ipmi_port: bmc.port, ipmi_username: 'admin', ipmi_password: 'secret' }
  return { bmc, chassis, connectBmc: (more: object) => driver.connect({ ...info, ...more }, stage) }
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

it.each([{ ipmi_protocol_version: '3' }, { ipmi_cipher_suite: 4 }, { ipmi_disable_boot_timeout: 'perhaps' }])(
  'the setting %j is refused by name',
  async (options) => {
    const { connectBmc } = await site()
    const asked = (async () => (await connectBmc(options)).power())()
    await expect(asked).rejects.toThrow(HardwareError)
    await expect(asked).rejects.toThrow(Object.keys(options)[0])
  },
)

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
  const session = await connect({ socket, host: '127.0.0.1', port: bmc.port, timeoutMs: 5000, ...login })
  const answer = await session.send(raw(0x00, 0x09), Uint8Array.of(3, 0, 0))
  expect(answer[2]).toBe(kept)
  await session.close()
})
