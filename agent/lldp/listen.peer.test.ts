import { execFileSync, spawn } from 'node:child_process'
import { expect, it, onTestFinished } from 'vitest'
import { realClock } from '../clock.ts'
import { createLog } from '../log.ts'
import { listenForLldp } from './listen.ts'

/** Python sends frames at one end of a cable; we listen at the other. */

const sender = `
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
while True:
    for frame in sys.argv[2:]:
        s.send(bytes.fromhex(frame))
    time.sleep(0.1)
`
const to = '0180c200000e52540000beef88cc'
const chassis = '020704112233445566'
const port = '04050565746831'
const rest = '060200780a037377310000'

it('hears what the switch at the other end of a cable says of itself, and nothing of a cable where nobody speaks', async () => {
  const [ours, theirs, silent, other] = ['a', 'b', 'c', 'd'].map((end) => `ll${process.pid.toString(36)}${end}`) as [
    string,
    string,
    string,
    string,
  ]
  const ip = (...args: string[]): void => void execFileSync('ip', args)
  for (const [one, two] of [
    [ours, theirs],
    [silent, other],
  ] as const) {
    ip('link', 'add', one, 'type', 'veth', 'peer', 'name', two)
    onTestFinished(() => ip('link', 'del', one))
    for (const each of [one, two]) ip('link', 'set', each, 'up')
  }
  const broken = to + '02ff04'
  const child = spawn('python3', ['-c', sender, theirs, broken, to + chassis + port + rest], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const log = createLog(() => {}, realClock.now)
  // Long enough for a slow machine to start Python; the silent one is given up sooner.
  expect(await listenForLldp([ours], 30, realClock, log)).toEqual({
    [ours]: [
      [1, '04112233445566'],
      [2, '0565746831'],
      [3, '0078'],
      [5, '737731'],
      [0, ''],
    ],
  })
  expect(await listenForLldp([silent, 'nosuchcard'], 0.5, realClock, log)).toEqual({})
})
