import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { askTime } from './sntp.ts'

const SENT = Date.UTC(2026, 5, 1)

/** An NTP server that is `ahead` of us; `change` spoils its answer. */
async function server(ahead: number, change: (answer: Buffer) => void = () => {}): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (question: Buffer, from: RemoteInfo) => {
    const answer = Buffer.alloc(48)
    answer[0] = 0b00_100_100
    answer[1] = 2
    question.copy(answer, 24, 40, 48)
    const seconds = Math.floor((SENT + ahead) / 1000 + 2_208_988_800) % 2 ** 32
    for (const at of [32, 40]) answer.writeUInt32BE(seconds, at)
    change(answer)
    socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return socket.address().port
}

it.each([0, 7_200_000, -86_400_000, 20 * 365 * 86_400_000])('tells how far we are behind: %i ms', async (ahead) => {
  const port = await server(ahead)
  expect(await askTime('127.0.0.1', 5, () => SENT, port)).toBe(ahead)
})

it.each([
  ['is not synchronised', (answer: Buffer) => void (answer[0] = 0b11_100_100)],
  ['says goodbye', (answer: Buffer) => void (answer[1] = 0)],
  ['is no server', (answer: Buffer) => void (answer[0] = 0b00_100_011)],
])('does not believe one that %s', async (_, change) => {
  const port = await server(0, change)
  await expect(askTime('127.0.0.1', 5, () => SENT, port)).rejects.toThrow('does not know the time itself')
})

it('does not take an answer to another question, nor wait for ever', async () => {
  const port = await server(0, (answer) => answer.fill(1, 24, 32))
  await expect(askTime('127.0.0.1', 0.2, () => SENT, port)).rejects.toThrow('within 0.2 s')
})
