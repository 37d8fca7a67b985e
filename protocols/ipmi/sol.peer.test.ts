import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connect } from './client.ts'
import { type RunningBmc, startBmc } from './server.ts'
import { openSol } from './sol-client.ts'
import * as parameters from './sol-parameters.ts'
import { readSol, writeSol } from './sol-settings.ts'
import { openIpmiSocket } from './socket.ts'
import { simUser, startIpmiSim } from './testing/ipmi-sim.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { type PaperSerial, paperSerial } from './testing/paper-serial.ts'
import { openTerminal } from './testing/terminal.ts'

const user = { name: 'admin', password: 'twenty-bytes-long-pw', privilege: 'administrator' } as const

async function withBmc(
  use: (bmc: RunningBmc, serial: PaperSerial) => Promise<void>,
  at = { host: '127.0.0.1', port: 0 },
): Promise<void> {
  const serial = paperSerial()
  const faults: unknown[] = []
  const onError = (error: unknown): void => void faults.push(error)
  const bmc = await startBmc({ ...at, users: [user], chassis: paperChassis(), onError, serial })
  try {
    await use(bmc, serial)
    expect(faults).toEqual([])
    expect(bmc.dropped()).toBe(0)
  } finally {
    await bmc.close()
  }
}

/** ipmiconsole knows no port but IPMI's own: each process has it on an address of its own. */
const ownAddress = {
  host: `127.${100 + (process.pid >>> 16)}.${(process.pid >>> 8) & 0xff}.${process.pid & 0xff}`,
  port: 623,
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 30_000 }).toBe(true)
}

const poem = Array.from({ length: 100 }, (_, n) => `line ${n} of what the machine says\r\n`).join('')

test.each([3, 17])('ipmitool with cipher suite %i has the console of our BMC, both ways', async (suite) => {
  await withBmc(async (bmc, serial) => {
    const login = `-I lanplus -C ${suite} -H 127.0.0.1 -p ${bmc.port} -U ${user.name} -E -N 10 -R 2`
    const terminal = openTerminal(`ipmitool ${login} sol activate`, { IPMI_PASSWORD: user.password })
    try {
      await terminal.shows(/SOL Session operational/)
      serial.print('login: ')
      await terminal.shows(/login: /)
      terminal.type('root\r')
      await until(() => serial.typed === 'root\r')
      serial.print(poem)
      await terminal.shows(/line 99 of what/)
      expect(terminal.screen).toContain(poem)
      terminal.type('\r~B')
      await until(() => serial.breaks === 1)
      terminal.type('\r~.')
      await terminal.ended()
      await until(() => !serial.isOpen)
    } finally {
      terminal.kill()
    }
  })
})

test('ipmitool reads and sets how our BMC does it', async () => {
  await withBmc(async (bmc) => {
    const ipmitool = async (words: string): Promise<string> => {
      const login = `-I lanplus -C 17 -H 127.0.0.1 -p ${bmc.port} -U ${user.name} -E -N 10 -R 2`
      const terminal = openTerminal(`ipmitool ${login} ${words}`, { IPMI_PASSWORD: user.password })
      expect(await terminal.ended()).toBe(0)
      return terminal.screen
    }
    expect(await ipmitool('sol info 1')).toMatch(/Enabled +: true[^]*Volatile Bit Rate \(kbps\) +: 115\.2/)
    await ipmitool('sol set volatile-bit-rate 9.6 1')
    await ipmitool('sol set character-send-threshold 32 1')
    await ipmitool('sol set retry-count 5 1')
    const after = await ipmitool('sol info 1')
    expect(after).toMatch(/Character Send Threshold +: 32[^]*Retry Count +: 5[^]*Volatile Bit Rate \(kbps\) +: 9\.6/)
    expect(after).toMatch(new RegExp(`Payload Port +: ${bmc.port}`))
  })
})

test("freeipmi's ipmiconsole has the console of our BMC, both ways", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ipmiconsole-'))
  try {
    await withBmc(async (bmc, serial) => {
      const config = join(dir, 'freeipmi.conf')
      await writeFile(config, `username ${user.name}\npassword ${user.password}\n`, { mode: 0o600 })
      const words = `ipmiconsole --config-file=${config} -h ${bmc.host} -I 17`
      const terminal = openTerminal(words, { HOME: dir })
      try {
        await terminal.shows(/SOL established/)
        serial.print(poem)
        await terminal.shows(/line 99 of what/)
        expect(terminal.screen).toContain(poem)
        terminal.type('root\r')
        await until(() => serial.typed === 'root\r')
        terminal.type('&B')
        await until(() => serial.breaks === 1)
        terminal.type('&.')
        await terminal.ended()
        await until(() => !serial.isOpen)
      } finally {
        terminal.kill()
      }
    }, ownAddress)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('the console of a machine behind ipmi_sim is ours, both ways', async () => {
  const lines: Socket[] = []
  let typed = ''
  const machine = createServer((line) => {
    lines.push(line.on('data', (bytes) => (typed += bytes.toString('latin1'))))
  })
  machine.listen(0, '127.0.0.1')
  await once(machine, 'listening')
  const at = machine.address()
  if (at === null || typeof at === 'string') throw new Error('no port')
  const sim = await startIpmiSim({ serialPort: at.port })
  const socket = openIpmiSocket()
  try {
    let seen = ''
    const options = {
      socket,
      host: '127.0.0.1',
      port: sim.port,
      privilege: 'administrator',
      timeoutMs: 30_000,
      ...simUser,
    } as const
    const session = await connect(options)
    await writeSol(session, parameters.solEnable, { state: { enabled: true } })
    expect(await readSol(session, parameters.solEnable)).toEqual({ state: { enabled: true } })
    const console = await openSol({
      ...options,
      onData: (bytes) => (seen += Buffer.from(bytes).toString()),
      onEnd: () => {},
    })
    await until(() => lines.length > 0)
    lines[0]?.write(poem)
    await until(() => seen.includes('line 99 of what'))
    expect(seen).toContain(poem)
    console.write(Buffer.from('root\r'))
    await until(() => typed === 'root\r')
    await console.close()
    await session.close()
  } finally {
    await socket.close()
    await sim.stop()
    for (const line of lines) line.destroy()
    machine.close()
  }
})
