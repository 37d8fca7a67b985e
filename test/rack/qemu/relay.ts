import { connect, createServer } from 'node:net'

/** The inside half of a door: runs in a namespace, takes connections on a Unix socket (those know no namespaces)
 * and passes each on to a TCP port there. usage: relay.ts SOCKET HOST PORT */
const [socketPath = '', host = '', port = ''] = process.argv.slice(2)

const server = createServer((outside) => {
  const inside = connect(Number(port), host)
  const drop = () => {
    inside.destroy()
    outside.destroy()
  }
  inside.on('error', drop)
  outside.on('error', drop)
  outside.pipe(inside).pipe(outside)
})
server.listen(socketPath, () => process.stdout.write('open\n'))
process.once('SIGTERM', () => {
  server.close() // takes the socket's file away
  process.exit(0)
})
