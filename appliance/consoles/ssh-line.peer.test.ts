import { afterEach, describe, expect, test } from 'vitest'
import type { ConsoleLine } from './line.ts'
import { consoleUser, type PeerSshServer, startSshServer } from './peer-ssh-server.ts'
import { openSshLine, type SshDoor } from './ssh-line.ts'

/** Serial consoles behind the SSH of a BMC, which is Debian's sshd here. */

let server: PeerSshServer
let line: ConsoleLine | undefined
afterEach(async () => {
  await line?.close()
  line = undefined
  await server?.stop()
})

async function open(more: Partial<SshDoor> = {}) {
  const heard: string[] = []
  const marks: string[] = []
  const lost = Promise.withResolvers<Error>()
  const door = { ...consoleUser, host: '127.0.0.1', port: server.port, entry: undefined, refuses: () => undefined }
  line = await openSshLine(
    { ...door, ...more },
    {
      data: (bytes) => void heard.push(Buffer.from(bytes).toString()),
      mark: (mark) => void marks.push(mark),
      lost: lost.resolve,
    },
  )
  return { line, heard: () => heard.join(''), marks, lost: lost.promise }
}
const within = { timeout: 30_000 }

describe.each(['password', 'keyboard-interactive'] as const)('a log-in by %s', (way) => {
  test('leads to the serial port, which prints and takes what is typed', async () => {
    server = await startSshServer(way)
    const { line: opened, heard, marks } = await open()
    await expect.poll(heard, within).toContain('serial port of m1\r\n')
    expect(opened.write(Buffer.from('root\r'))).toBe(5)
    await expect.poll(heard, within).toContain('root\r')
    opened.sendBreak()
    expect(marks).toEqual(['no break'])
  })

  test('with a wrong password is refused once, in words that do not hold it', async () => {
    server = await startSshServer(way)
    const refused = await open({ password: 'no such secret' }).catch((error: unknown) => String(error))
    expect(refused).toMatch(/BMC 127\.0\.0\.1:\d+, console by SSH: the user or its password is not accepted; correct/)
    expect(refused).not.toContain('no such secret')
    await expect.poll(() => server.log(), within).toMatch(/Failed password|PAM: Auth/)
    expect(server.log().match(/Failed password|PAM: Auth/g)).toHaveLength(1)
  })
})

test('what leads from the command line of the BMC to the machine is typed there; a wrong one ends it', async () => {
  server = await startSshServer('password', 'shell')
  const { heard } = await open({ entry: 'console com2' })
  await expect.poll(heard, within).toContain('serial port of m1')
  await line?.close()
  const { lost } = await open({ entry: 'vsp' })
  expect(String(await lost)).toMatch(/the BMC has ended it; .* command that leads to the machine is not right/)
})

test('the host key is shown as OpenSSH writes it, and a password never reaches who has another', async () => {
  server = await startSshServer('password')
  const shown: string[] = []
  await open({ refuses: (fingerprint) => void shown.push(fingerprint) as undefined })
  expect(shown).toEqual([server.fingerprint])
  await line?.close()
  line = undefined
  const refused = await open({ refuses: () => 'its host key is another one' }).catch((error: unknown) => String(error))
  expect(refused).toMatch(/console by SSH: its host key is another one$/)
  const forgetful = (): never => {
    throw new Error('the disk is full')
  }
  await expect(open({ refuses: forgetful })).rejects.toThrow(/can't be compared .* \(the disk is full\)$/)
})

test('a BMC without SSH is told as such', async () => {
  server = await startSshServer('password')
  await server.stop()
  const refused = await open().catch((error: unknown) => String(error))
  expect(refused).toMatch(/ECONNREFUSED.*; check that SSH is enabled on it/)
})
