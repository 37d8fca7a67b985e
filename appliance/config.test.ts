import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { sentence } from './hardware-error.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const path = (): string => join(temporaryFolder(), 'appliance.json')
function read(text: string): { path: string; said: string } {
  const at = path()
  writeFileSync(at, text)
  try {
    readConfig(at)
  } catch (error) {
    return { path: at, said: sentence(error) }
  }
  throw new Error('this should have been refused')
}

it('says which file is not there', () => {
  const at = path()
  expect(() => readConfig(at)).toThrow(`the configuration ${at} can't be read`)
})

it('says where a file is not JSON', () => {
  const { path: at, said } = read('{\n  "door_port": 1,\n}')
  expect(said).toContain(`the configuration ${at} is not JSON`)
  expect(said).toMatch(/line 3|position/)
})

it.each([
  [{ door_port: 0 }, 'door_port'],
  [{ dor_port: 6385 }, 'dor_port'],
  [{ kernel_arguments: 'quiet\nroot=/dev/sda' }, 'printable ASCII only'],
  [{ image_cache_gib: -1 }, 'image_cache_gib'],
  [{ log_level: 'loud' }, 'log_level'],
  [{ boot: 7 }, 'boot'],
])('says of %j which setting is wrong', (wrong, said) => {
  expect(read(JSON.stringify(wrong)).said).toContain(said)
})
