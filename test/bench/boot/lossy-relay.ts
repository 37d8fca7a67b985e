import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { randomFrom } from '@bloomery/wire/fuzzing.ts'

/**
 * A way that is long and loses: TFTP passes by here, +1 ms from the server, so many of a thousand datagrams lost in each direction, or
 * each of the client's said twice. It has a port of its own towards each client, as a server would. Counts DATA on SIGTERM.
 * usage: PORT SERVER LOST_PER_THOUSAND TIMES
 */
const [port = '', server = '', lost = '0', times = '1'] = process.argv.slice(2)
const random = randomFrom(7_001)
const isLost = (): boolean => random(1_000) < Number(lost)
let data = 0

const front = createSocket('udp4')
front.bind(Number(port), '0.0.0.0')
const clients = new Set<string>()
front.on('message', (request, client) => {
  const name = `${client.address}:${client.port}`
  if (clients.has(name)) return
  clients.add(name)
  join(request, client)
})

/** `near` faces the client and `far` the server, whose transfer port is known when it first answers. */
function join(request: Uint8Array, client: RemoteInfo): void {
  const [near, far] = [open(), open()]
  let transfer = 69
  far.on('message', (bytes, from) => {
    transfer = from.port
    if (bytes[1] === 3) data += 1
    if (!isLost()) setTimeout(() => near.send(bytes, client.port, client.address), 1)
  })
  near.on('message', (bytes) => {
    for (let time = 0; time < Number(times); time += 1) if (!isLost()) far.send(bytes, transfer, server)
  })
  far.send(request, 69, server)
}

function open(): Socket {
  const socket = createSocket('udp4')
  socket.bind(0)
  return socket
}

process.once('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify({ data })}\n`, () => process.exit(0))
})
