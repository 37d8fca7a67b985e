import { expect, it } from 'vitest'
import { newSealingKey, seal } from '../../contract/seal.ts'
import { sentence } from '../hardware-error.ts'
import { machine } from '../testing/plans.ts'
import { openSecrets } from './secrets.ts'

const keys = newSealingKey()
const me = { uuid: '1be26c0b-03f2-4d2e-ae87-c02d7f33c123', sealingKey: keys.privateKey }
const to = [{ appliance: me.uuid, key: keys.publicKey }]

function sealedFor(node: string, key: string) {
  return seal('hush', `${node}/${key}`, to)
}

it('opens what is sealed to it and leaves the rest as it is', () => {
  const of = machine()
  of.driver_info = { ipmi_address: '192.0.2.1', ipmi_password: sealedFor(of.node, 'ipmi_password') }
  expect(openSecrets(of, me)).toEqual({ ipmi_address: '192.0.2.1', ipmi_password: 'hush' })
})

it.each([
  [
    'another node',
    (node: string) =>
      sealedFor(
        node.replace(/^./, (first) => (first === '0' ? '1' : '0')),
        'ipmi_password',
      ),
  ],
  ['another field', (node: string) => sealedFor(node, 'ipmi_hex_kg_key')],
  [
    'another appliance',
    (node: string) =>
      seal('hush', `${node}/ipmi_password`, [
        { appliance: '00000000-0000-4000-8000-000000000000', key: keys.publicKey },
      ]),
  ],
])('does not open what was sealed for %s, and says which and what to do', (_, make) => {
  const of = machine()
  of.driver_info = { ipmi_password: make(of.node) }
  let said = ''
  try {
    openSecrets(of, me)
  } catch (error) {
    said = sentence(error)
  }
  expect(said).toMatch(/^driver_info\/ipmi_password can't be opened by this appliance; set it again/)
  expect(said).not.toContain('hush')
})

it('takes a key that was set to null as one that was not', () => {
  const of = machine()
  of.driver_info = { ipmi_address: '192.0.2.1', ipmi_port: null }
  expect(openSecrets(of, me)).toEqual({ ipmi_address: '192.0.2.1' })
})
