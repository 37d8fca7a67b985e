import { Socket } from 'node:net'
import { connect } from 'mqtt'
import { topics } from '../../contract/topics.ts'
import { MESSAGE_LIMIT } from '../../contract/messages.ts'
import type { Identity } from '../identity.ts'
import type { Log } from '../log.ts'
import type { ConnectionCredentials, Pair } from './credentials.ts'
import type { Link } from './link.ts'

const PUBLISH_SECONDS = 20

/** MQTT 3.1.1 over TLS with the appliance's certificate; AWS IoT Core and the standalone broker speak it alike. The session is clean:
 * what must not be lost is in the ledgers of both sides, not in the broker. Reconnects are jittered, so that a fleet doesn't come back at once. */
export function connectMqtt(
  identity: Pick<Identity, 'uuid' | 'broker'>,
  credentials: ConnectionCredentials,
  random: () => number,
  log: Log,
): Link {
  let onMessage = (_payload: string): void => {}
  let onConnect = (): void => {}
  const client = connect(identity.broker, {
    clientId: identity.uuid,
    clean: true,
    ...tlsOf(credentials.pair()),
    rejectUnauthorized: true,
    keepalive: 30,
    connectTimeout: 15_000,
    reconnectPeriod: 1000 + Math.floor(random() * 4000),
    queueQoSZero: false,
    // Begun when somebody listens, so that nothing that comes with the connection is missed.
    manualConnect: true,
  })
  // The stream of each attempt is made from these options.
  client.on('reconnect', () => Object.assign(client.options, tlsOf(credentials.pair())))
  client.on('close', credentials.closed)
  credentials.onChange(() => client.connected && client.stream.destroy())
  client.on('message', (_topic, payload) => {
    if (payload.length > 2 * MESSAGE_LIMIT) log.warn({ bytes: payload.length }, 'message over the limit dropped')
    else onMessage(payload.toString('utf8'))
  })
  client.on('connect', () => {
    credentials.connected()
    const { stream } = client
    // Otherwise each small packet waits 40 ms for the broker's delayed ACK (RFC 1122 §4.2.3.4).
    if (stream instanceof Socket) stream.setNoDelay(true)
    client.subscribe(topics.down(identity.uuid), { qos: 1 }, (error) => {
      if (error) log.warn({ error: error.message }, 'could not subscribe to commands')
      else onConnect()
    })
  })
  let said = ''
  client.on('error', (error) => {
    if (error.message !== said)
      log.warn({ error: error.message, broker: identity.broker }, 'no connection to the cloud')
    said = error.message
  })
  client.on('connect', () => {
    said = ''
    log.info({ broker: identity.broker }, 'connected to the cloud')
  })
  client.on('offline', () => log.warn({ broker: identity.broker }, 'cut off from the cloud; plans go on'))
  return {
    publish: (payload) => {
      if (!client.connected) return Promise.reject(new Error('cut off from the cloud'))
      return within(PUBLISH_SECONDS, client.publishAsync(topics.up(identity.uuid), payload, { qos: 1 }))
    },
    onMessage: (handler) => {
      onMessage = handler
      if (!client.connected && !client.reconnecting) client.connect()
    },
    onConnect: (handler) => {
      onConnect = handler
    },
    async end() {
      // A connection that is being made when the client ends would be made anew when it closes.
      client.options.reconnectPeriod = 0
      client.removeAllListeners('connect').removeAllListeners('message')
      client.on('connect', () => client.stream.destroy())
      await client.endAsync(true)
      client.stream.destroy()
    },
  }
}

function tlsOf({ certificate, privateKey, authorities }: Pair) {
  return { cert: certificate, key: privateKey, ca: authorities }
}

function within<T>(seconds: number, work: Promise<T>): Promise<void> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the broker did not take the message within ${seconds} s`)),
      seconds * 1000,
    )
  })
  return Promise.race([work, late])
    .then(() => {})
    .finally(() => clearTimeout(timer))
}
