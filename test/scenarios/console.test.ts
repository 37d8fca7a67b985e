import { join } from 'node:path'
import { openTerminal } from '@bloomery/ipmi/testing/terminal.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiError } from '../../contract/api/client.ts'
import { recorded } from '../../contract/console.ts'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run } from './bloomery-process.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** A machine's serial console: from its serial port by SOL to the site, by MQTT to the cloud, and to whoever watches; and back. */

let cloud: CloudHere
let fleet: Fleet
let member: Member
let other: Member

const WITHIN = 60_000
const bloomery = join(import.meta.dirname, '../../bin/bloomery')
const from = '00000000-0000-4000-8000-0000000000aa'

beforeAll(async () => {
  cloud = await cloudHere()
  // Real time: people's and the site's have to agree on how long a watch lasts.
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, speed: 1 })
  await fleet.join()
  ;[member, other] = fleet.members as [Member, Member]
  await setInterface(member, 'ipmitool-socat')
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function setInterface({ uuid }: Member, value: string): Promise<void> {
  await fleet.client.nodes.patch(uuid, [{ op: 'add', path: '/console_interface', value }])
}

/** Reads on until this shows: what was printed, or a screen of it. */
async function shows(uuid: string, pattern: RegExp, after?: string): Promise<{ seen: string; last: string }> {
  const until = Date.now() + WITHIN
  let seen = ''
  let last = after
  while (Date.now() < until) {
    const page = await fleet.client.nodes.consoleStream(uuid, { after: last, wait: 5 })
    last = page.last
    for (const { text, screen, note } of page.chunks) seen += `${screen?.join('\n') ?? ''}${text ?? ''}${note ?? ''}`
    if (pattern.test(seen)) return { seen, last }
  }
  throw new Error(`the console does not show ${pattern}, but: ${seen}`)
}

const session = (of: Member): number => (of.machine.serial.isOpen ? 1 : 0)

test('nobody watches, nothing is enabled: the site has no console open', async () => {
  expect(session(member)).toBe(0)
  expect(await fleet.client.nodes.console(member.uuid)).toEqual({ console_enabled: false, console_info: null })
  expect(await fleet.client.nodes.validate(member.uuid)).toMatchObject({ console: { result: true } })
})

test('who watches sees what the machine prints, and what he types reaches the machine, once', async () => {
  const { uuid, machine } = member
  const first = fleet.client.nodes.consoleStream(uuid, { wait: 5 })
  await expect.poll(() => machine.serial.isOpen, { timeout: WITHIN }).toBe(true)
  const { last } = await first
  machine.serial.print('paper login: ')
  const seen = await shows(uuid, /paper login: /, last)
  await fleet.client.nodes.consoleInput(uuid, { from, number: 1, text: 'root\r' })
  await fleet.client.nodes.consoleInput(uuid, { from, number: 1, text: 'root\r' })
  await fleet.client.nodes.consoleInput(uuid, { from, number: 2, text: 'ls\r', line_break: true })
  await expect.poll(() => machine.serial.typed, { timeout: WITHIN }).toBe('root\rls\r')
  await expect.poll(() => machine.serial.breaks, { timeout: WITHIN }).toBe(1)
  machine.serial.print('bin etc\r\n')
  expect((await shows(uuid, /bin etc/, seen.last)).seen).not.toMatch(/login/)
  // Who comes later sees the screen first.
  expect((await shows(uuid, /bin etc/)).seen).toMatch(/paper login: bin etc/)
})

test('a machine that prints without end is shown by its screen, not by every character', async () => {
  const { uuid, machine } = member
  const before = await shows(uuid, /./)
  const line = 'x'.repeat(70)
  for (let n = 0; n < 4000; n += 1) machine.serial.print(`${n} ${line}\r\n`)
  machine.serial.print('that was all\r\n')
  const { seen } = await shows(uuid, /that was all/, before.last)
  expect(seen.length).toBeLessThan(150_000)
})

test('server-sent events show the same', async () => {
  const { uuid, machine } = member
  const leave = new AbortController()
  const reply = await fetch(`${cloud.endpoint}/v1/nodes/${uuid}/console/stream`, {
    headers: { accept: 'text/event-stream' },
    signal: leave.signal,
  })
  expect(reply.headers.get('content-type')).toMatch('text/event-stream')
  let text = ''
  const read = (async () => {
    for await (const bytes of reply.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(bytes).toString()
      if (text.includes('by events')) return
    }
  })()
  await expect.poll(() => text, { timeout: WITHIN }).toMatch(/event: chunk/)
  machine.serial.print('by events\r\n')
  await read
  leave.abort()
  expect(text).toMatch(/id: [0-9a-f-]{36}\.\d+/)
})

test('the command line has it in a terminal: looks, types, sends a break, leaves', async () => {
  const { uuid, machine } = member
  machine.serial.typed = ''
  machine.serial.breaks = 0
  const terminal = openTerminal(`${bloomery} console ${uuid} --endpoint ${cloud.endpoint}`, {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
  })
  try {
    await terminal.shows(/by events/)
    machine.serial.print('\u001b[1mbold\u001b[0m prompt# ')
    await terminal.shows(/\[1mbold.\[0m prompt# /)
    terminal.type('uname\r')
    await expect.poll(() => machine.serial.typed, { timeout: WITHIN }).toBe('uname\r')
    terminal.type('~B')
    await expect.poll(() => machine.serial.breaks, { timeout: WITHIN }).toBe(1)
    terminal.type('\u0003\r~.')
    expect(await terminal.ended()).toBe(0)
    // Ctrl-C is the machine's.
    await expect.poll(() => machine.serial.typed, { timeout: WITHIN }).toBe('uname\r\u0003\r')
  } finally {
    terminal.kill()
  }
})

test('an enabled console stays open and is recorded; the recording comes when it is asked for', async () => {
  const { uuid, machine } = other
  await setInterface(other, 'ipmitool-socat')
  await fleet.client.nodes.setConsole(uuid, { enabled: true })
  await expect.poll(() => machine.serial.isOpen, { timeout: WITHIN }).toBe(true)
  const { console_enabled, console_info } = await fleet.client.nodes.console(uuid)
  expect(console_enabled).toBe(true)
  expect(console_info).toEqual({ type: 'sse', url: `${cloud.endpoint}/v1/nodes/${uuid}/console/stream` })
  machine.serial.print('nobody looks\r\n')
  const log = async (): Promise<string> => {
    const ran = await run(['console', uuid, '--log', '--json', '--endpoint', cloud.endpoint])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    const lines = recorded.array().parse(JSON.parse(ran.stdout))
    return lines.map(([, , text]) => text).join('')
  }
  await expect.poll(log, { timeout: WITHIN }).toMatch(/connected[^]*nobody looks\r\n/)
  await fleet.client.nodes.setConsole(uuid, { enabled: false })
  await expect.poll(() => machine.serial.isOpen, { timeout: WITHIN }).toBe(false)
  expect(fleet.logged.join('\n')).not.toMatch(/nobody looks/)
  expect(cloud.logged.join('\n')).not.toMatch(/nobody looks/)
})

test('without a console interface, or a BMC, there is none, and it is said why', async () => {
  const { uuid } = await fleet.client.nodes.create({ name: 'bare', driver: 'ipmi', driver_info: {} })
  const refused = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'not refused',
      (error: unknown) => `${(error as ApiError).status} ${(error as ApiError).message}`,
    )
  expect(await refused(fleet.client.nodes.consoleStream(uuid))).toMatch(/^400 .*does not support get_console/)
  expect(await refused(fleet.client.nodes.setConsole(uuid, { enabled: true }))).toMatch(
    /^400 .*does not support start_/,
  )
  const ran = await run(['console', uuid, '--endpoint', cloud.endpoint])
  expect(ran).toMatchObject({ code: 3 })
  expect(ran.stderr).toMatch(/does not support get_console/)
  await fleet.client.nodes.patch(uuid, [{ op: 'add', path: '/console_interface', value: 'ipmitool-socat' }])
  expect(await refused(fleet.client.nodes.setConsole(uuid, { enabled: true }))).toMatch(/^400 .*ipmi_address/)
  expect(await refused(fleet.client.nodes.consoleStream(member.uuid, { after: 'x' }))).toMatch(/^400 'x' is not where/)
})
