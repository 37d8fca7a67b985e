import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { realClock } from '../clock.ts'
import { burnNetwork } from './network.ts'
import { noise } from './noise.ts'
import { burnInSettings } from './settings.ts'
import { burnMemory, burnProcessors } from './threads.ts'

const MiB = 1024 * 1024

/** Below those that Linux gives to whoever asks for any (ip_local_port_range): nobody is given it meanwhile. */
const freePort = (): number => randomInt(20_000, 32_000)

describe('burn-in', () => {
  it('of processors computes the same again and again, and says how often', async () => {
    const told: (number | undefined)[] = []
    const burning = { clock: realClock, progress: ({ percent }: { percent?: number }) => void told.push(percent) }
    const said = await burnProcessors(2, 0.2, burning)
    const [, rounds] = /^(\d+) rounds in 2 threads, 0.2 s, without an error$/.exec(said) ?? []
    expect(Number(rounds), said).toBeGreaterThanOrEqual(2)
    expect(told.every((percent) => percent !== undefined && percent >= 0 && percent <= 100)).toBe(true)
  })

  it('of memory reads what it wrote', async () => {
    const burning = { clock: realClock, progress: () => {} }
    expect(await burnMemory(50, 0, burning, 512 * MiB)).toMatch(/rounds in \d+ threads, 0 s, without an error/)
  })

  it('of a network sends noise both ways between two machines', async () => {
    const port = freePort()
    const [reader, writer] = await Promise.all([
      burnNetwork({ role: 'reader', partner: 'writer', seconds: 0.2, port }, realClock),
      burnNetwork(
        { role: 'writer', partner: '127.0.0.1', seconds: 0.2, port },
        { ...realClock, sleep: () => realClock.sleep(20) },
      ),
    ])
    expect(reader).toMatch(/^\d+ bytes came from writer/)
    expect(writer).toMatch(/^\d+ bytes came from 127.0.0.1/)
  })

  it('of a network sees a single wrong byte', async () => {
    const port = freePort()
    const reading = burnNetwork({ role: 'reader', partner: 'liar', seconds: 1, port }, realClock)
    const bytes = noise(1)(100_000)
    bytes[70_000]! ^= 1
    const send = async (): Promise<void> => {
      const { connect } = await import('node:net')
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      if (isUp) socket.end(bytes)
      else setTimeout(() => void send(), 20)
    }
    void send()
    await expect(reading).rejects.toThrow('other bytes came than were sent')
  })
})

it('is set by driver_info in ironic-python-agent’s keys, with its defaults', () => {
  expect(burnInSettings({})).toEqual({
    cpus: 0,
    cpuSeconds: 86_400,
    memoryPercent: 98,
    memorySeconds: 86_400,
    diskLoops: 4,
    diskSeconds: 0,
    networkSeconds: 21_600,
    network: undefined,
  })
  const driver_info = {
    agent_burnin_cpu_timeout: '60',
    'agent_burnin_vm_vm-bytes': '75%',
    agent_burnin_fio_disk_loops: 1,
    agent_burnin_fio_network_config: { role: 'reader', partner: '192.0.2.7' },
  }
  expect(burnInSettings({ driver_info })).toMatchObject({
    cpuSeconds: 60,
    memoryPercent: 75,
    diskLoops: 1,
    network: { role: 'reader', partner: '192.0.2.7' },
  })
})
