import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { macToBytes } from '@bloomery/wire/address.ts'
import { encodePacket } from '@bloomery/dhcp/packet.ts'

/** DHCP of two machines as a relay would carry it: from one Ethernet address, told apart by chaddr. It says so when it begins. */
const socket = createSocket('udp4').bind(0, '10.89.0.1')
await once(socket, 'listening')
socket.setBroadcast(true)
const message = (mac: string): Uint8Array =>
  encodePacket({
    op: 1,
    htype: 1,
    hops: 1,
    xid: 7,
    secs: 0,
    flags: 0,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: 0x0a59_0001,
    chaddr: macToBytes(mac),
    sname: '',
    file: '',
    options: new Map([[53, Uint8Array.of(1)]]),
  })
const both = ['52:54:00:97:00:01', '52:54:00:97:00:02'].map(message)
setInterval(() => {
  for (const bytes of both) socket.send(bytes, 67, '10.89.0.255')
}, 50)
process.stdout.write('{"sending":true}\n')
