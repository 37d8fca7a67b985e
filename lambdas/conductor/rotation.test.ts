import { expect, it } from 'vitest'
import type { Node } from '../../contract/resources.ts'
import { newSealingKey, type Sealed, seal } from '../../contract/seal.ts'
import { overruled, rotated } from './rotation.ts'
import { node } from './testing.ts'

const key = 'ipmi_password'
const to = [{ appliance: '00000000-0000-4000-8000-000000000001', key: newSealingKey().publicKey }]
const sealed = (text: string): Sealed => seal(text, `${node.uuid}/${key}`, to)
const [old, first, second, own] = ['old', 'first', 'second', 'own'].map(sealed) as [Sealed, Sealed, Sealed, Sealed]
const known: Node = { ...node, generation: 7, driver_info: { ...node.driver_info, [key]: old } }
const told = (value: Sealed, generation: number, at = '2026-11-23T10:00:00.000Z') => ({ key, value, generation, at })

it('a new password counts, also when its plan is over and newer ones have run: nobody else knows it', () => {
  expect(rotated(known, told(first, 5))?.driver_info).toEqual({ ...known.driver_info, [key]: first })
  expect(rotated({ ...known, operation: null, generation: 9 }, told(first, 5))?.driver_info[key]).toBe(first)
})

it('of two the later one counts, in whatever order they come, of one plan too; doubled it changes nothing', () => {
  const later = rotated(known, told(second, 6))!
  expect(rotated(later, told(first, 5))).toBeUndefined()
  expect(rotated(later, told(second, 6))).toBeUndefined()
  const again = told(first, 6, '2026-11-23T10:00:01.000Z')
  expect(rotated(later, again)?.driver_info[key]).toBe(first)
  expect(rotated(rotated(known, again)!, told(second, 6))).toBeUndefined()
})

it('what people write stays, whatever comes of rotations of before; those that come after it count', () => {
  const written = overruled(known, { ...known, driver_info: { ...known.driver_info, [key]: own } })
  expect(rotated(written, told(first, 7))).toBeUndefined()
  expect(rotated({ ...written, generation: 8 }, told(first, 8))?.driver_info[key]).toBe(first)
})

it('a patch that leaves secrets alone says nothing of them', () => {
  const after = { ...known, description: 'of the third rack' }
  expect(overruled(known, after)).toBe(after)
})

it('a secret that the node doesn’t have, or of an operation that it never had, is none', () => {
  expect(rotated({ ...known, driver_info: node.driver_info }, told(first, 5))).toBeUndefined()
  expect(rotated(known, told(first, 8))).toBeUndefined()
})
