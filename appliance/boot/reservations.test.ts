import { expect, test } from 'vitest'
import { ipv4FromText, macToBytes } from '@bloomery/wire/address.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import { readRequest, type DhcpRequest } from '@bloomery/dhcp/request.ts'
import { bootConfig } from './config.ts'
import { openReservations } from './reservations.ts'

const MAC = '52:54:00:00:00:01'
const subnet = { cidr: '10.1.0.0/24', interfaceAddress: '10.1.0.1', range: ['10.1.0.100', '10.1.0.199'] }
const config = bootConfig.parse({
  subnets: [subnet],
  nextServer: '10.1.0.1',
  files: {},
  reservations: { [MAC]: '10.1.0.5' },
  clientReservations: { 'text:rack-7': '10.1.0.6', '01:AA': '10.1.0.7' },
  circuitReservations: [{ relay: '10.1.0.2', circuit: 'text:ge-0/0/1', address: '10.1.0.8' }],
})
const reservations = openReservations(config)

function request(mac: string, more: { client?: Uint8Array; circuit?: string; giaddr?: string } = {}): DhcpRequest {
  const options = new Map<number, Uint8Array>([[Option.messageType, Uint8Array.of(1)]])
  if (more.client !== undefined) options.set(Option.clientIdentifier, more.client)
  const circuit = Buffer.from(more.circuit ?? '')
  options.set(Option.relayAgentInformation, Buffer.concat([Uint8Array.of(1, circuit.length), circuit]))
  return readRequest({
    op: 1,
    htype: 1,
    hops: 0,
    xid: 1,
    secs: 0,
    flags: 0,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: ipv4FromText(more.giaddr ?? '0.0.0.0'),
    chaddr: macToBytes(mac),
    sname: '',
    file: '',
    options,
  })
}
const OTHER = '52:54:00:00:00:02'

test.each([
  ['its MAC', request(MAC), '10.1.0.5', false],
  ['its client identifier', request(OTHER, { client: Buffer.from('rack-7') }), '10.1.0.6', true],
  ['its client identifier in hex', request(OTHER, { client: Uint8Array.of(1, 0xaa) }), '10.1.0.7', true],
  ['the port it hangs on', request(OTHER, { circuit: 'ge-0/0/1', giaddr: '10.1.0.2' }), '10.1.0.8', true],
  ['its MAC before its port', request(MAC, { circuit: 'ge-0/0/1', giaddr: '10.1.0.2' }), '10.1.0.5', false],
])('a machine is known by %s', (_, asked, address, takesOver) => {
  expect(reservations.addressFor(asked)).toEqual({ address: ipv4FromText(address), takesOver })
})

test('the same port name behind another relay is another port', () => {
  expect(reservations.addressFor(request(OTHER, { circuit: 'ge-0/0/1', giaddr: '10.1.0.3' }))).toBeUndefined()
})

test('every reserved address has an owner, and no other has', () => {
  const owned = ['10.1.0.5', '10.1.0.6', '10.1.0.7', '10.1.0.8'].map((text) => reservations.owner(ipv4FromText(text)))
  expect(owned).not.toContain(undefined)
  expect(reservations.owner(ipv4FromText('10.1.0.9'))).toBeUndefined()
})

test.each(['zz', '', 'text:'])('%j is no name of a client', (name) => {
  const wrong = { subnets: [subnet], nextServer: '10.1.0.1', files: {}, clientReservations: { [name]: '10.1.0.6' } }
  expect(() => bootConfig.parse(wrong)).toThrow('is neither hex nor text:')
})
