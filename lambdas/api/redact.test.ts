import { expect, test } from 'vitest'
import { type Caller, operator, withImplied } from '../../contract/identity.ts'
import { redacted } from './redact.ts'

const node = { owner: 'a', lessee: 'b' }
const view = {
  uuid: 'u',
  last_error: 'BMC 10.0.0.1',
  reservation: 'box',
  driver_info: { ipmi_address: '10.0.0.1' },
  driver_internal_info: {},
}

function adminOf(project: string): Caller {
  return { user: null, project: { id: project, name: project }, system: false, roles: withImplied(['admin']) }
}

test('who leases a node sees nothing of the infrastructure under it', () => {
  const shown = redacted(view, adminOf('b'), node)
  expect(shown['uuid']).toBe('u')
  expect(JSON.stringify(shown)).not.toMatch(/10\.0\.0\.1|box/)
  expect(shown['driver_info']).toEqual({ content: expect.stringContaining('requires baremetal:node:get:driver_info') })
})

test('who owns it, and who oversees all, sees everything', () => {
  expect(redacted(view, adminOf('a'), node)).toEqual(view)
  expect(redacted(view, operator('x'), node)).toEqual(view)
})

test('attributes that were not asked for do not appear', () => {
  expect(redacted({ uuid: 'u' }, adminOf('b'), node)).toEqual({ uuid: 'u' })
})
