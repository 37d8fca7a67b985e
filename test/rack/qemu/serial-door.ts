import { connect, createServer, type Socket } from 'node:net'

/** A program: the serial port of a server, QEMU's socket in its folder, for OpenIPMI's simulator, which knows TCP only.
 * `serial-door.ts ADDRESS PORT PATH` says so when it listens. QEMU is there while the power is on. */

/** What comes out before somebody listens is lost: firmware speaks a tenth of a second after QEMU has made its socket. */
const AGAIN_MS = 20
/** What the simulator is too slow for is dropped: a serial line waits for nobody, and the server must not wait for us. */
const MOST_WAITING = 256 * 1024

const [address = '', port = '', path = ''] = process.argv.slice(2)
const listeners = new Set<Socket>()
let machine: Socket | undefined

createServer((socket) => {
  listeners.add(socket)
  socket.on('error', () => undefined).on('close', () => listeners.delete(socket))
  socket.on('data', (bytes) => machine?.write(bytes))
}).listen(Number(port), address, () => process.stdout.write('listening\n'))

function attach(): void {
  const socket = connect(path)
  socket.on('connect', () => (machine = socket))
  socket.on('data', (bytes) => {
    for (const each of listeners) if (each.writableLength < MOST_WAITING) each.write(bytes)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    machine = undefined
    setTimeout(attach, AGAIN_MS)
  })
}
attach()
