import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { allowRescue, consolesIn } from './rescue.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

function etc(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rescue-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

it('makes a hash that OpenSSL makes of the same password and salt', () => {
  const hash = execFileSync('busybox', ['mkpasswd', '-m', 'sha512', '-P', '0'], { input: 'let me in\n' })
    .toString()
    .trim()
  const salt = hash.split('$')[2]!
  expect(execFileSync('openssl', ['passwd', '-6', '-salt', salt, 'let me in']).toString().trim()).toBe(hash)
})

it('gives the hash to nobody but root, and takes a second password for the first', async () => {
  const folder = etc()
  // The account is there already: no console is asked for a login.
  writeFileSync(join(folder, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nrescue:x:0:0:rescue:/root:/bin/sh\n')
  await allowRescue('$6$first', log as never, folder)
  await allowRescue('$6$second', log as never, folder)
  expect(readFileSync(join(folder, 'shadow'), 'utf8')).toBe('root:*:::::::\nrescue:$6$second:::::::\n')
  expect(statSync(join(folder, 'shadow')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(folder, 'passwd'), 'utf8').match(/rescue:x/g)).toHaveLength(1)
})

it('asks for a login on the screen and on serial lines', () => {
  expect(consolesIn('tty0 ttyS0\n')).toEqual(['tty1', 'ttyS0'])
  expect(consolesIn('hvc0 ../x $(reboot)\n')).toEqual(['hvc0'])
})
