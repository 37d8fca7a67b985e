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
const machine = { node: 'n1', generation: 3 }

test('iPXE is told who it is, how to log in, and the disk', () => {
  const script = volumeScript(machine, volume, 'a-secret')
  expect(script).toMatch(/^#!ipxe\n/)
  expect(script).toContain('set initiator-iqn iqn.2026-11.org.example:node-1\nset username me\nset password a-secret\n')
  expect(script).toContain(
    'sanboot --drive 0x80 iscsi:10.20.0.1::3260:11:iqn.2026-11.org.example:volume-1 || goto failed',
  )
  expect(volumeScript(machine, { ...volume, chap: null }, undefined)).not.toContain('set username')
  expect(volumeScript(machine, { ...volume, portal: '[fd00::1]:3260' }, undefined)).toContain(
    'iscsi:[fd00::1]::3260:11:',
  )
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
