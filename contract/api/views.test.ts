import { describe, expect, it } from 'vitest'
import { seal, newSealingKey } from '../seal.ts'
import { maskInstance, maskSecrets, pick, stateFor } from './views.ts'

describe('masking', () => {
  it('hides sealed values and everything named like a secret, at any depth', () => {
    const sealed = seal('x', 'bind', [{ appliance: 'a', key: newSealingKey().publicKey }])
    expect(
      maskSecrets({
        ipmi_password: sealed,
        other: sealed,
        deep: { snmp_community: 'c' },
        list: [{ token: 't' }],
        a: 1,
      }),
    ).toEqual({
      ipmi_password: '******',
      other: '******',
      deep: { snmp_community: '******' },
      list: [{ token: '******' }],
      a: 1,
    })
  })

  it('hides config drive and image URL of an instance', () => {
    expect(maskInstance({ configdrive: 'H4sI', image_url: 'http://x', image_source: 'i' })).toEqual({
      configdrive: '******',
      image_url: '******',
      image_source: 'i',
    })
  })
})

it('shows old clients the states that they know', () => {
  expect(stateFor('available', 1)).toBeNull()
  expect(stateFor('available', 2)).toBe('available')
  expect(stateFor('inspect wait', 38)).toBe('inspecting')
  expect(stateFor('inspect wait', 39)).toBe('inspect wait')
})

it('keeps links with every selection of fields', () => {
  expect(pick({ uuid: 'u', name: 'n', links: [] }, ['name'])).toEqual({ name: 'n', links: [] })
})
