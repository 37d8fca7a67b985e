import { describe, expect, it } from 'vitest'
import { canonicalPath } from './app.ts'
import { parseUsers } from './caller.ts'
import { isDeeper } from './body.ts'
import { flag } from './query.ts'

describe('nesting', () => {
  it('is counted outside strings only', () => {
    expect(isDeeper('[[[]]]', 3)).toBe(false)
    expect(isDeeper('[[[]]]', 2)).toBe(true)
    expect(isDeeper('{"a":{"b":[1]}}', 2)).toBe(true)
    expect(isDeeper('["[[[[\\"[[["]', 1)).toBe(false)
    expect(isDeeper('[[],[],[]]', 2)).toBe(false)
  })

  it('stops at once in what would overflow a parser', () => {
    expect(isDeeper('['.repeat(5_000_000), 25)).toBe(true)
  })
})

it.each([
  ['/', '/'],
  ['', '/'],
  ['/v1', '/v1'],
  ['/v1/', '/v1'],
  ['/nodes', '/v1/nodes'],
  ['/v1/nodes/', '/v1/nodes'],
  ['/v1x', '/v1/v1x'],
])('%j is the path %j', (given, path) => {
  expect(canonicalPath(given)).toBe(path)
})

it('reads booleans as OpenStack writes them', () => {
  for (const yes of ['True', '1', 'on', 'y']) expect(flag('f', yes)).toBe(true)
  for (const no of ['FALSE', '0', 'off', 'n']) expect(flag('f', no)).toBe(false)
  expect(flag('f', undefined)).toBeUndefined()
  expect(() => flag('f', 'maybe')).toThrow(/'maybe'/)
})

it('takes htpasswd lines with bcrypt only', () => {
  const hash = `$2y$10$${'a'.repeat(53)}`
  expect([...parseUsers(`# c\n\nada:${hash}\n`)]).toEqual([['ada', hash]])
  expect(() => parseUsers('ada:secret')).toThrow(/htpasswd -B/)
  expect(() => parseUsers('ada:secret')).not.toThrow(/secret/)
})
