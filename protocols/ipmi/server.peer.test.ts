import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cipherSuiteIds } from './cipher-suite.ts'
import { type RunningBmc, startBmc } from './server.ts'
import { freeipmi } from './testing/freeipmi.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'

const run = promisify(execFile)
const user = { name: 'admin', password: 'twenty-bytes-long-pw', privilege: 'administrator' } as const
const watcher = { name: 'watcher', password: 'look', privilege: 'user' } as const

let chassis: PaperChassis
let bmc: RunningBmc
let faults: unknown[]

beforeEach(async () => {
  chassis = paperChassis()
  faults = []
  const onError = (error: unknown): void => void faults.push(error)
  bmc = await startBmc({ host: '127.0.0.1', port: 0, users: [user, watcher], chassis, onError })
})
afterEach(async () => {
  await bmc.close()
  expect(faults).toEqual([])
})

async function ipmitool(suite: number, words: string, who: { name: string; password: string } = user): Promise<string> {
  // Silence is a failed test, and what was only late would be done twice.
  const login = ['-I', 'lanplus', '-C', `${suite}`, '-H', '127.0.0.1', '-p', `${bmc.port}`, '-U', who.name, '-E']
  const options = { env: { IPMI_PASSWORD: who.password, PATH: '/usr/bin:/bin' }, timeout: 60_000 }
  const { stdout } = await run('ipmitool', [...login, '-N', '10', '-R', '2', ...words.split(' ')], options)
  return stdout
}

describe.each([3, 17])('ipmitool with cipher suite %i', (suite) => {
  test('reads and sets power', async () => {
    expect(await ipmitool(suite, 'chassis power status')).toMatch('Chassis Power is off')
    await ipmitool(suite, 'chassis power on')
    expect(await ipmitool(suite, 'chassis power status')).toMatch('Chassis Power is on')
    for (const action of ['cycle', 'reset', 'diag', 'soft', 'off']) await ipmitool(suite, `chassis power ${action}`)
    expect(chassis.told).toEqual(['on', 'cycle', 'reset', 'diag', 'soft', 'off'])
    expect(bmc.sessions()).toEqual({ active: 0, pending: 0 })
  })

  test('is told that a machine that is off cannot be cycled', async () => {
    await expect(ipmitool(suite, 'chassis power cycle')).rejects.toThrow(/not supported in present state/i)
    expect(chassis.told).toEqual([])
  })

  test('chooses the boot device, for once and for good, for BIOS and UEFI', async () => {
    await ipmitool(suite, 'chassis bootdev pxe')
    expect(chassis.flags).toMatchObject({ flags: { valid: true, persistent: false, uefi: false }, boot: { device: 1 } })
    expect(await ipmitool(suite, 'chassis bootparam get 5')).toMatch(/next boot[^]*BIOS PC Compatible[^]*Force PXE/)
    await ipmitool(suite, 'chassis bootdev disk options=persistent,efiboot')
    expect(chassis.flags).toMatchObject({ flags: { valid: true, persistent: true, uefi: true }, boot: { device: 2 } })
    const read = await ipmitool(suite, 'chassis bootparam get 5')
    expect(read).toMatch(/Boot Flag Valid[^]*all future boots[^]*BIOS EFI boot[^]*Force Boot from default Hard-Drive/)
  })

  test('sends the raw bytes with which a boot choice is kept beyond 60 s', async () => {
    await ipmitool(suite, 'raw 0x00 0x08 0x03 0x08')
    expect(await ipmitool(suite, 'raw 0x00 0x09 0x03 0x00 0x00')).toMatch('01 03 08')
    await ipmitool(suite, 'raw 0x00 0x08 0x05 0xe0 0x04 0x00 0x00 0x00')
    expect(chassis.flags).toMatchObject({ flags: { valid: true, persistent: true, uefi: true }, boot: { device: 1 } })
  })

  test('asks who the BMC is', async () => {
    expect(await ipmitool(suite, 'mc info')).toMatch(/IPMI Version\s+: 2\.0/)
  })

  test('is told of a wrong password and of an unknown user', async () => {
    const wrong = ipmitool(suite, '-v chassis power on', { ...user, password: 'other' })
    await expect(wrong).rejects.toThrow(/RAKP 2 HMAC is invalid/)
    const unknown = ipmitool(suite, '-v chassis power on', { ...user, name: 'nobody' })
    await expect(unknown).rejects.toThrow(/unauthorized name/i)
    expect(chassis.told).toEqual([])
    expect(bmc.sessions().active).toBe(0)
  })
})

describe('a BMC that takes every cipher suite', () => {
  async function open(): Promise<void> {
    await bmc.close()
    const onError = (error: unknown): void => void faults.push(error)
    bmc = await startBmc({ host: '127.0.0.1', port: 0, users: [user], chassis, onError, cipherSuites: cipherSuiteIds })
  }

  // ipmitool 1.8.19 ends itself at suites 11 and 12.
  test.each(cipherSuiteIds.filter((id) => id !== 11 && id !== 12))(
    'is understood by ipmitool with suite %i',
    async (suite) => {
      await open()
      expect(await ipmitool(suite, 'chassis power status')).toMatch('Chassis Power is off')
      expect(bmc.dropped()).toBe(0)
    },
  )

  test.each(cipherSuiteIds)('is understood by freeipmi with suite %i', async (suite) => {
    await open()
    const words = ['-I', `${suite}`, '--get-chassis-status']
    expect(await freeipmi('ipmi-chassis', bmc, user, words)).toMatch(/System Power +: off/)
    expect(bmc.dropped()).toBe(0)
  })
})

test('suites that prove or hide less are refused unless the BMC is told to take them', async () => {
  for (const suite of [0, 1, 2, 15, 16]) await expect(ipmitool(suite, 'chassis power status')).rejects.toThrow()
  await expect(freeipmi('ipmi-chassis', bmc, user, ['-I', '8', '--get-chassis-status'])).rejects.toThrow(/bad rmcpplus/)
})

test('a BMC with a key of its own is understood by ipmitool and freeipmi who know it, and by nobody else', async () => {
  await bmc.close()
  const onError = (error: unknown): void => void faults.push(error)
  const options = { users: [user], chassis, onError, kg: Buffer.from('twenty bytes of Kg!!') }
  bmc = await startBmc({ host: '127.0.0.1', port: 0, ...options })
  const hexKey = options.kg.toString('hex')
  expect(await ipmitool(17, `-y ${hexKey} chassis power status`)).toMatch('Chassis Power is off')
  const words = ['-I', '17', '-k', `0x${hexKey}`, '--get-chassis-status']
  expect(await freeipmi('ipmi-chassis', bmc, user, words)).toMatch(/System Power +: off/)
  await expect(ipmitool(17, 'chassis power status')).rejects.toThrow()
  await expect(freeipmi('ipmi-chassis', bmc, user, words.toSpliced(2, 2))).rejects.toThrow()
})

describe('a BMC that also takes IPMI 1.5', () => {
  const short = { name: 'old', password: 'sixteen-bytes-pw', privilege: 'administrator' } as const

  async function lan(words: string, password: string = short.password, seconds = 10): Promise<string> {
    await bmc.close()
    const onError = (error: unknown): void => void faults.push(error)
    bmc = await startBmc({ host: '127.0.0.1', port: 0, users: [short], chassis, onError, ipmi15: true })
    const login = ['-I', 'lan', '-A', 'MD5', '-H', '127.0.0.1', '-p', `${bmc.port}`, '-U', short.name, '-E']
    const options = { env: { IPMI_PASSWORD: password, PATH: '/usr/bin:/bin' }, timeout: 60_000 }
    return (await run('ipmitool', [...login, '-N', `${seconds}`, '-R', '2', ...words.split(' ')], options)).stdout
  }

  test('is understood by ipmitool, and drops who has another password', async () => {
    await lan('chassis power on')
    expect(await lan('chassis power status')).toMatch('Chassis Power is on')
    expect(bmc.sessions()).toEqual({ pending: 0, active: 0 })
    await expect(lan('chassis power status', 'other', 1)).rejects.toThrow(/Unable to establish LAN session/)
  })

  test('is understood by freeipmi', async () => {
    await lan('chassis power on')
    const words = ['-D', 'LAN', '-a', 'MD5', '--get-chassis-status']
    expect(await freeipmi('ipmi-chassis', bmc, short, words)).toMatch(/System Power +: on/)
  })
})

test('a user who may only look reads power and cannot change it', async () => {
  expect(await ipmitool(17, '-L USER chassis power status', watcher)).toMatch('Chassis Power is off')
  await expect(ipmitool(17, '-L USER chassis power on', watcher)).rejects.toThrow(/insufficient privilege/i)
  await expect(ipmitool(17, '-v -L ADMINISTRATOR chassis power on', watcher)).rejects.toThrow(/unauthorized role/i)
  expect(chassis.told).toEqual([])
})
