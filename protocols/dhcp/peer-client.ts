import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/**
 * Sends datagrams as firmware would, from a port that only it may have, and prints what comes back as lines of JSON.
 * usage: peer-client.ts FROM_PORT; each line of stdin is `ADDRESS PORT HEX`.
 */
const socket = createSocket('udp4').bind(Number(process.argv[2]))
await once(socket, 'listening')
socket.setBroadcast(true)
socket.on('message', (bytes, from) =>
  process.stdout.write(`${JSON.stringify({ from: from.address, port: from.port, hex: bytes.toString('hex') })}\n`),
)
process.stdout.write('{"ready":true}\n')
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const line of text.trim().split('\n')) {
    const [address = '', port = '', hex = ''] = line.split(' ')
    socket.send(Buffer.from(hex, 'hex'), Number(port), address)
  }
})
process.stdin.once('end', () => socket.close())
