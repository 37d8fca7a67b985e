import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBootDevice, readPower, setBootDevice, setPower } from './chassis.ts'
import { connect, type ConnectOptions, type IpmiSession } from './client.ts'
import { raw } from './command.ts'
import { getDeviceId } from './commands.ts'
import { IncorrectBmcKey, IncorrectPassword, NoSupportedCipherSuite, UnauthorizedName } from './error.ts'
import { clearEventLog, readClock, readEventLog, setClock } from './event-log.ts'
import { addSelEntry } from './event-log-commands.ts'
import { readFru } from './fru.ts'
import { readFruDevice } from './inventory.ts'
import { readSensorRecords, readSensors } from './sensors.ts'
import { ping } from './ping.ts'
import { type IpmiSocket, openIpmiSocket } from './socket.ts'
import { type IpmiSim, satelliteMaker, simUser, startIpmiSim } from './testing/ipmi-sim.ts'
import { fruBytes } from './testing/paper-inventory.ts'

let sim: IpmiSim
let socket: IpmiSocket

beforeAll(async () => {
  sim = await startIpmiSim()
  socket = openIpmiSocket()
})
afterAll(async () => {
  await socket.close()
  await sim.stop()
})

function options(changes: Partial<ConnectOptions> = {}): ConnectOptions {
  const { port } = sim
  return { socket, host: '127.0.0.1', port, privilege: 'administrator', timeoutMs: 30_000, ...simUser, ...changes }
}

async function withSession<T>(changes: Partial<ConnectOptions>, use: (session: IpmiSession) => Promise<T>): Promise<T> {
  const session = await connect(options(changes))
  try {
    return await use(session)
  } finally {
    await session.close()
  }
}

test('ipmi_sim answers a ping', async () => {
  expect(await ping({ socket, host: '127.0.0.1', port: sim.port }, 30_000)).toEqual({ ipmi: true })
})

test.each([3, 'auto'] as const)('cipher suite %s logs in to ipmi_sim and ends up as 3', async (cipherSuite) => {
  const device = await withSession({ cipherSuite }, async (session) => {
    expect(session.cipherSuite).toBe(3)
    return session.send(getDeviceId, undefined)
  })
  expect(device).toMatchObject({ ipmiVersion: 0x02, manufacturer: 0x1291, product: 0xf02 })
})

// ipmi_sim 2.0.33 has an HMAC-MD5 and an AES under MD5 that neither ipmitool nor freeipmi nor we understand: no 7, 8, 12.
test.each([0, 1, 2, 6, 11] as const)('cipher suite %i, where asked for, logs in to ipmi_sim', async (cipherSuite) => {
  await withSession({ cipherSuite }, async (session) => expect(await readPower(session)).toBe('off'))
})

test('power goes on and off, and the chassis agrees', async () => {
  await withSession({}, async (session) => {
    for (const [action, state, kept] of [
      ['on', 'on', '1'],
      ['off', 'off', '0'],
    ] as const) {
      await setPower(session, action)
      expect(await readPower(session)).toBe(state)
      expect(await sim.chassis()).toMatchObject({ power: kept })
    }
  })
})

test('the boot device reaches the chassis and reads back', async () => {
  await withSession({}, async (session) => {
    for (const [device, kept] of [
      ['pxe', 'pxe'],
      ['disk', 'default'],
      ['cdrom', 'cdrom'],
      ['bios', 'bios'],
    ] as const) {
      await setBootDevice(session, { device, persistent: true, uefi: true })
      expect(await sim.chassis()).toMatchObject({ boot: kept })
      // ipmi_sim 2.0.33 keeps none of the flags, only the device.
      expect(await readBootDevice(session)).toEqual({ device, valid: false, persistent: false, uefi: false })
    }
  })
})

test('what the BMC declines says which command and why', async () => {
  await withSession({}, async (session) => {
    const declined = setBootDevice(session, { device: 'safe', persistent: false, uefi: false })
    await expect(declined).rejects.toThrow(/Set System Boot Options: completion code 0xff: unspecified error/)
  })
})

test('the sensors of ipmi_sim are read, those that it lacks are left out', async () => {
  await withSession({}, async (session) => {
    const names = (await readSensorRecords(session)).map((record) => 'sensor' in record && record.sensor.name)
    expect(names).toEqual(['Inlet', 'Fan 1', 'PSU 1', '12V'])
    const readings = await readSensors(session)
    expect(readings.map(({ sensor, value }) => [sensor.name, value])).toEqual([['Inlet', 23.5]])
  })
})

test('the event log of ipmi_sim is added to, read and cleared, and its clock set', async () => {
  await withSession({}, async (session) => {
    const time = new Date('2031-07-04T10:20:30Z')
    await setClock(session, time)
    expect((await readClock(session)).getTime() - time.getTime()).toBeLessThan(60_000)
    await clearEventLog(session)
    const entry = Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0x41, 0, 4, 1, 1, 0x81, 0x59, 0x2d, 0x28)
    await session.send(addSelEntry, { entry })
    const [event, ...others] = await readEventLog(session, 10)
    expect(event).toMatchObject({ kind: 'event', sensorType: 1, sensor: 1, asserted: false, eventType: 1 })
    expect(others).toEqual([])
    await clearEventLog(session)
    expect(await readEventLog(session, 10)).toEqual([])
  })
})

test('the FRU of ipmi_sim says who made the machine', async () => {
  const fru = await withSession({}, (session) => readFruDevice(session, 0))
  expect(fru).toEqual(readFru(fruBytes()))
  expect(fru.product).toMatchObject({ manufacturer: 'Acme', serial: 'P0001' })
})

test('a raw command goes as it is, and what is not there is declined', async () => {
  await withSession({}, async (session) => {
    expect(await session.send(raw(0x00, 0x01), new Uint8Array(0))).toHaveLength(3)
    await expect(session.send(raw(0x06, 0xef), new Uint8Array(0))).rejects.toThrow(
      /raw 0x06 0xef: completion code 0xc1/,
    )
  })
})

describe('IPMI 1.5', () => {
  const protocolVersion = '1.5'

  test('logs in to ipmi_sim by MD5, reads and sets power', async () => {
    await withSession({ protocolVersion }, async (session) => {
      expect(session.cipherSuite).toBeUndefined()
      await setPower(session, 'on')
      expect(await readPower(session)).toBe('on')
      await setPower(session, 'off')
      expect(await readPower(session)).toBe('off')
    })
  })

  test('an unknown user and a wrong password are called that', async () => {
    await expect(connect(options({ protocolVersion, username: 'nobody' }))).rejects.toThrow(UnauthorizedName)
    const wrong = connect(options({ protocolVersion, password: 'guess-me-not', timeoutMs: 3000 }))
    await expect(wrong).rejects.toThrow(/Activate Session: incorrect password for user "ipmiusr"/)
  })
})

test("a controller behind ipmi_sim's BMC is asked through it, and one that is not there is told", async () => {
  const behind = (address: number) => ({ bridge: { target: { channel: 0, address } } })
  await withSession(behind(0x30), async (session) => {
    expect(await session.send(getDeviceId, undefined)).toMatchObject({ manufacturer: satelliteMaker, product: 0xf03 })
  })
  await withSession({ ...behind(0x40), timeoutMs: 30_000 }, async (session) => {
    await expect(session.send(getDeviceId, undefined)).rejects.toThrow(/Get Device ID, by Send Message: completion/)
  })
})

test('a wrong password is called that, and is not in the message', async () => {
  const attempt = connect(options({ password: 'guess-me-not' }))
  await expect(attempt).rejects.toThrow(IncorrectPassword)
  await expect(attempt).rejects.toThrow(/127\.0\.0\.1:\d+, RAKP 1: incorrect password for user "ipmiusr"/)
  await expect(attempt).rejects.not.toThrow(/guess-me-not/)
})

test('ipmi_sim finds a user by name and privilege, and none with another privilege', async () => {
  const lookup = 'name and privilege'
  await withSession({ lookup }, async (session) => expect(await readPower(session)).toBe('off'))
  await expect(connect(options({ lookup, privilege: 'operator' }))).rejects.toThrow(UnauthorizedName)
})

test('an unknown user is called that', async () => {
  await expect(connect(options({ username: 'nobody' }))).rejects.toThrow(UnauthorizedName)
})

test('cipher suite 17, which ipmi_sim lacks, is refused as such', async () => {
  await expect(connect(options({ cipherSuite: 17 }))).rejects.toThrow(NoSupportedCipherSuite)
})

test('ipmi_sim answers what keeps a session alive, and commands in between', async () => {
  let sent = 0
  const counted: IpmiSocket = { ...socket, send: (to, bytes) => ((sent += 1), socket.send(to, bytes)) }
  await withSession({ cipherSuite: 3, keepAliveMs: 30, socket: counted }, async (session) => {
    const before = sent
    await expect.poll(() => sent - before, { timeout: 30_000 }).toBeGreaterThan(5)
    expect(await readPower(session)).toBe('off')
    await expect.poll(() => sent - before, { timeout: 30_000 }).toBeGreaterThan(12)
  })
})

test('sixteen sessions over one socket keep apart', async () => {
  const sessions = await Promise.all(Array.from({ length: 16 }, () => connect(options({ cipherSuite: 3 }))))
  const states = await Promise.all(sessions.flatMap((session) => [readPower(session), readPower(session)]))
  expect(states).toEqual(Array.from({ length: 32 }, () => 'off'))
  await Promise.all(sessions.map((session) => session.close()))
})

test('a BMC with a key of its own lets in who knows it, and tells who does not', async () => {
  const keyed = await startIpmiSim({ bmcKey: 'kg-kg-kg' })
  try {
    await withSession({ port: keyed.port, kg: Buffer.from('kg-kg-kg') }, async (session) => {
      expect(await readPower(session)).toBe('off')
    })
    await expect(connect(options({ port: keyed.port }))).rejects.toThrow(IncorrectBmcKey)
  } finally {
    await keyed.stop()
  }
})
