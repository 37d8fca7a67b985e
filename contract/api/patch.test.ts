import { describe, expect, it } from 'vitest'
import { applyPatch, parsePatch, patchedRoots } from './patch.ts'

const allowed = { defaults: { driver: undefined, name: null, extra: {}, driver_info: {} }, escapes: true }
const node = { uuid: 'u', driver: 'ipmi', name: 'n', extra: { a: 1, list: [1, 2] }, driver_info: { x: { y: 1 } } }
const patched = (...operations: unknown[]) => applyPatch(node, parsePatch(operations), allowed)

describe('a patch', () => {
  it('sets roots and nested keys in order, on a copy', () => {
    const result = patched(
      { op: 'replace', path: '/name', value: 'm' },
      { op: 'add', path: '/extra/b', value: { c: 2 } },
      { op: 'replace', path: '/extra/b/c', value: 3 },
      { op: 'remove', path: '/driver_info/x/y' },
    )
    expect(result).toMatchObject({ name: 'm', extra: { a: 1, b: { c: 3 } }, driver_info: { x: {} } })
    expect(node.name).toBe('n')
    expect(node.extra).toEqual({ a: 1, list: [1, 2] })
  })

  it('resets an optional attribute that is removed', () => {
    expect(patched({ op: 'remove', path: '/name' }).name).toBeNull()
    expect(patched({ op: 'remove', path: '/extra' }).extra).toEqual({})
  })

  it('edits arrays by index and appends with -', () => {
    expect(patched({ op: 'add', path: '/extra/list/-', value: 3 }).extra).toMatchObject({ list: [1, 2, 3] })
    expect(patched({ op: 'remove', path: '/extra/list/0' }).extra).toMatchObject({ list: [2] })
  })

  it('decodes escapes where the version allows them', () => {
    const operation = parsePatch([{ op: 'add', path: '/extra/a~1b', value: 1 }])
    expect(applyPatch(node, operation, allowed).extra).toMatchObject({ 'a/b': 1 })
    expect(() => applyPatch(node, operation, { ...allowed, escapes: false })).toThrow(/does not match/)
  })

  it.each([
    ['an internal attribute', { op: 'replace', path: '/uuid', value: 'v' }],
    ['an unknown attribute', { op: 'add', path: '/nonsense', value: 1 }],
    ['removal of a mandatory attribute', { op: 'remove', path: '/driver' }],
    ['removal of a missing key', { op: 'remove', path: '/extra/missing' }],
    ['replacement of a missing key', { op: 'replace', path: '/extra/missing', value: 1 }],
    ['a key below a missing object', { op: 'add', path: '/extra/no/b', value: 1 }],
    ['a value that is missing', { op: 'add', path: '/name' }],
    ['a path without slash', { op: 'add', path: 'name', value: 1 }],
    ['a prototype', { op: 'add', path: '/extra/__proto__/x', value: 1 }],
    ['an index beyond the end', { op: 'replace', path: '/extra/list/7', value: 1 }],
  ])('refuses %s', (_, operation) => {
    expect(() => patched(operation)).toThrow(expect.objectContaining({ status: 400 }))
  })

  it.each([[{}], ['x'], [[{ op: 'move', path: '/a', from: '/b' }]], [[{ op: 'add' }]]])(
    'is an array of operations, not %j',
    (body) => {
      expect(() => parsePatch(body)).toThrow(expect.objectContaining({ status: 400 }))
    },
  )

  it.each([
    [
      { op: 'remove', path: '/extra/no' },
      "Couldn't apply patch '{'op': 'remove', 'path': '/extra/no'}'. Reason: can't remove a non-existent object 'no'",
    ],
    [
      { op: 'add', path: '/extra/no' },
      "Couldn't apply patch '{'op': 'add', 'path': '/extra/no'}'. Reason: The operation does not contain a 'value' member",
    ],
    [
      { op: 'add', path: '/uuid', value: 1 },
      'Cannot patch /uuid. Only the following can be updated: driver, driver_info, extra, name',
    ],
    [{ op: 'remove', path: '/driver' }, "Schema error for patch: 'driver' is a required property"],
    [
      { op: 'Add', path: '/name', value: 1 },
      "Schema error for patch: 'Add' is not one of ['add', 'replace', 'remove'] (0/op)",
    ],
  ])('says of %j what Ironic says', (operation, said) => {
    expect(() => patched(operation)).toThrow(said)
  })

  it('may change nothing', () => {
    expect(patched()).toEqual(node)
  })

  it('tells which attributes it touches', () => {
    expect([...patchedRoots(parsePatch([{ op: 'remove', path: '/extra/a' }]))]).toEqual(['extra'])
  })
})
