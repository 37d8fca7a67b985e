import { expect, test } from 'vitest'
import { bootVolume } from '../../contract/boot-volume.ts'
import { volumeScript } from './volume-script.ts'

const volume = {
  initiator: 'iqn.2026-11.org.example:node-1',
  portal: '10.20.0.1:3260',
  iqn: 'iqn.2026-11.org.example:volume-1',
  lun: 17,
  chap: { user: 'me', secret: { $sealed: { v: 1 as const, to: {} } }, bind: 'n1/auth_password' },
}
const data = { ...volume, iqn: 'iqn.2026-11.org.example:volume-2', lun: 1, chap: { ...volume.chap, user: 'you' } }
const machine = { node: 'n1', generation: 3 }
const secrets = new Map([
  [volume.iqn, 'a-secret'],
  [data.iqn, 'another'],
])

test('iPXE is told who it is, how to log in, and the disk', () => {
  const script = volumeScript(machine, { boot: volume, data: [] }, secrets)
  expect(script).toMatch(/^#!ipxe\n/)
  expect(script).toContain('set initiator-iqn iqn.2026-11.org.example:node-1\n')
  expect(script).toContain(
    'set username me\nset password a-secret\nsanhook --drive 0x80 iscsi:10.20.0.1::3260:11:iqn.2026-11.org.example:volume-1 || goto failed\nsanboot --no-describe --drive 0x80 || goto failed\n',
  )
  expect(script).toMatch(/reboot\n$/)
  expect(volumeScript(machine, { boot: { ...volume, chap: null }, data: [] }, undefined)).not.toContain('set username')
  const six = volumeScript(machine, { boot: { ...volume, portal: '[fd00::1]:3260' }, data: [] }, undefined)
  expect(six).toContain('iscsi:[fd00::1]::3260:11:')
})

test('each disk is hooked in with its own words before one is booted', () => {
  const script = volumeScript(
    machine,
    { boot: volume, data: [data, { ...data, chap: null, iqn: `${data.iqn}b` }] },
    secrets,
  )
  const words = script.split('\n').filter((line) => /^(set (user|pass)|clear|sanhook|sanboot)/.test(line))
  expect(words).toEqual([
    'set username me',
    'set password a-secret',
    expect.stringContaining('sanhook --drive 0x80 '),
    'set username you',
    'set password another',
    expect.stringContaining('sanhook --drive 0x81 '),
    'clear username',
    'clear password',
    expect.stringContaining('sanhook --drive 0x82 '),
    'sanboot --no-describe --drive 0x80 || goto failed',
  ])
})

test("where none is to be booted, the machine's own disk is, even if there is none to be had", () => {
  const script = volumeScript(machine, { data: [data] }, secrets)
  expect(script).toContain('sanhook --drive 0x81 ')
  expect(script).toMatch(/iseq \$\{try\} 5 \|\| goto again\n:own\n.*\nsanboot --no-describe --drive 0x80\nexit 1\n$/)
})

test('what iPXE would run is no volume', () => {
  expect(bootVolume.safeParse(volume).success).toBe(true)
  for (const wrong of [
    { initiator: 'iqn.2026-11.org.example:a\nshell' },
    { iqn: 'iqn.2026-11.org.example:${x}' },
    { iqn: 'iqn.2026-11.org.example:a || shell' },
    { portal: '10.20.0.1:3260 && shell' },
    { chap: { ...volume.chap, user: 'a b' } },
    { lun: -1 },
  ])
    expect(bootVolume.safeParse({ ...volume, ...wrong }).success, JSON.stringify(wrong)).toBe(false)
})
