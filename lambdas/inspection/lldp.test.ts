import { describe, expect, it } from 'vitest'
import { linkOf, lldpTlvs, neighbourOf } from './lldp.ts'

const hex = (text: string) => Buffer.from(text).toString('hex')
const whole = lldpTlvs.parse([
  [1, '04112233aabbcc'],
  [2, '05' + hex('Ethernet1/7')],
  [3, '0078'],
  [4, hex('rack 7, node 3')],
  [5, hex('sw1.example')],
  [6, hex('A switch\n')],
  [8, '05010a000001020000000100'],
  [127, '0080c2010064'],
  [127, '0080c203006404' + hex('prov')],
  [127, '0080c203006506' + hex('tenant')],
  [127, '00120f042400'],
  [0, ''],
])

describe('what a switch says of itself', () => {
  it('is told under the keys of Ironic’s parse-lldp', () => {
    expect(neighbourOf(whole)).toEqual({
      switch_chassis_id: '11:22:33:aa:bb:cc',
      switch_port_id: 'Ethernet1/7',
      switch_port_description: 'rack 7, node 3',
      switch_system_name: 'sw1.example',
      switch_system_description: 'A switch',
      switch_mgmt_addresses: ['10.0.0.1'],
      switch_port_untagged_vlan_id: 100,
      switch_port_vlans: [
        { id: 100, name: 'prov' },
        { id: 101, name: 'tenant' },
      ],
      switch_port_mtu: 9216,
    })
  })

  it('makes the link that neutron wants of a port', () => {
    expect(linkOf(neighbourOf(whole))).toEqual({
      switch_id: '11:22:33:aa:bb:cc',
      port_id: 'Ethernet1/7',
      switch_info: 'sw1.example',
    })
    expect(linkOf(neighbourOf([[1, '04112233aabbcc']]))).toBeUndefined()
  })

  it.each([
    [1, ''],
    [1, '04'],
    [2, '0401'],
    [8, 'ff01'],
    [8, ''],
    [127, '0080c2'],
    [127, '0080c20300'],
    [5, '0000'],
  ])('of type %i may be cut short (%s), and then says nothing', (type, value) => {
    expect(neighbourOf([[type, value]])).toEqual({})
  })

  it('is taken in hexadecimal, and no longer than LLDP allows', () => {
    for (const bad of [
      [[1, 'x']],
      [[1, '0']],
      [[1, '00'.repeat(512)]],
      [[200, '']],
      Array.from({ length: 129 }, () => [0, '']),
    ])
      expect(lldpTlvs.safeParse(bad).success).toBe(false)
  })
})
