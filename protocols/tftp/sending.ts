import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { WireError } from '@bloomery/wire/error.ts'
import type { Terms } from './negotiate.ts'
import { decodePacket, encodePacket, TftpError } from './packet.ts'
import { ofSocket, type OnePort, type TransferWay } from './one-port.ts'
import type { PortRange } from './port-range.ts'
import type { TftpClient, TftpFile } from './source.ts'
import { begin, step, type Action, type Transfer, type TransferEvent } from './transfer.ts'

export interface Outcome {
  result: 'complete' | 'probed' | 'aborted' | 'timeout' | 'not found' | 'refused' | 'failed'
  file: string
  client: TftpClient
  bytes: number
  /** Of the file, where there was one. */
  size?: number
  milliseconds: number
  /** Blocks that were sent more than once. */
  repeated: number
  because?: string
}

export interface Sending {
  name: string
  file: TftpFile
  client: TftpClient
  terms: Terms
  host: string
  ports: PortRange
  /** Then `ports` and `host` are not asked. */
  onePort?: OnePort
  now: () => number
  signal: AbortSignal
}

/** One transfer, from its first datagram to its outcome. */
export async function sendFile(sending: Sending): Promise<Outcome> {
  const way = sending.onePort?.open(sending.client) ?? (await ownSocket(sending))
  try {
    return await new Promise((resolve) => drive(sending, way, resolve))
  } finally {
    way.close()
  }
}

async function ownSocket({ ports, host }: Sending): Promise<TransferWay> {
  const create = () => createSocket(isIPv6(host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
  return ofSocket(await ports.bind(create, host))
}

function drive(sending: Sending, way: TransferWay, resolve: (outcome: Outcome) => void): void {
  const { file, client, terms, now, signal } = sending
  const started = now()
  let ended = false
  let timer: NodeJS.Timeout | undefined
  let [transfer, actions] = begin(file.size, terms, started)

  const end = (result: Outcome['result'], because?: string): void => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    signal.removeEventListener('abort', stopped)
    const { acked, repeated } = transfer
    const bytes = Math.min(acked * terms.blksize, file.size)
    const { size } = file
    resolve({
      result,
      file: sending.name,
      client,
      bytes,
      size,
      milliseconds: Math.round(now() - started),
      repeated,
      because,
    })
  }
  const stopped = (): void => end('failed', 'the server stops')
  const send = (packet: Parameters<typeof encodePacket>[0], to: TftpClient = client): void =>
    way.send(encodePacket(packet), to, (error) => {
      if (error) end('failed', `sending failed: ${error.message}`)
    })
  const perform = async (action: Action): Promise<void> => {
    if (action.send === 'oack') return send({ op: 'oack', options: terms.agreed })
    const { from, to } = action
    const data = await file.read((from - 1) * terms.blksize, (to - from + 1) * terms.blksize)
    const wanted = Math.min(to * terms.blksize, file.size) - (from - 1) * terms.blksize
    if (data.length !== wanted) throw new Error('it became shorter while it was sent')
    if (ended) return
    for (let block = from; block <= to; block += 1) {
      const at = (block - from) * terms.blksize
      send({ op: 'data', block: block & 0xffff, data: data.subarray(at, at + terms.blksize) })
    }
  }
  const enter = ([next, todo]: [Transfer, Action[]]): void => {
    transfer = next
    if (next.phase !== 'oack' && next.phase !== 'data') return end(next.phase, next.because)
    for (const action of todo)
      perform(action).catch((error: unknown) => {
        if (ended) return
        const because = error instanceof Error ? error.message : String(error)
        const told = encodePacket({ op: 'error', code: TftpError.undefined, message: 'the file could not be read' })
        way.send(told, client, () => end('failed', because))
      })
    clearTimeout(timer)
    timer = setTimeout(() => on({ kind: 'timer' }, next.due), Math.max(1, next.due - now()))
  }
  const on = (event: TransferEvent, notBefore = 0): void => {
    if (!ended) enter(step(transfer, event, Math.max(now(), notBefore)))
  }

  signal.addEventListener('abort', stopped)
  way.on('error', (error) => end('failed', error.message))
  way.on('message', (bytes, from) => {
    if (from.address !== client.address || from.port !== client.port)
      // RFC 1350 §4: a stranger is told so, and the transfer goes on.
      return send({ op: 'error', code: TftpError.unknownTransfer, message: 'unknown transfer ID' }, from)
    try {
      const packet = decodePacket(bytes)
      if (packet.op === 'ack') on({ kind: 'ack', block: packet.block })
      else if (packet.op === 'error') on({ kind: 'error', code: packet.code, message: packet.message })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  })
  if (signal.aborted) stopped()
  else enter([transfer, actions])
}
