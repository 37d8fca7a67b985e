import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serialTail, waitForSerial } from '../rack/qemu/serial.ts'

export type Firmware = 'bios' | 'uefi'

/** A QEMU machine outside of any rack, to see that something starts. Its network card has QEMU's own DHCP behind it. */
export type Guest = AsyncDisposable & {
  /** Resolves with what matched; rejects with the last lines of the serial port when the time is over. */
  says(pattern: RegExp, timeoutMs: number): Promise<string>
  /** Resolves when the machine is off. `pressing`: the power button, again and again, for one that nobody listens to yet is lost. */
  off(timeoutMs: number, how?: { pressing?: boolean }): Promise<void>
}

const AGAIN_MS = 5000
const card = [
  '-netdev',
  'user,id=net0,restrict=on',
  '-device',
  'virtio-net-pci,netdev=net0,mac=52:54:00:b1:00:01,romfile=',
]
const machine = [
  '-nodefaults',
  '-accel',
  'tcg,thread=multi',
  '-cpu',
  'Nehalem',
  '-m',
  '768',
  '-display',
  'none',
  '-no-reboot',
]

/** Starts what is on a disk, a file or a block device. */
export async function startDisk(disk: string, firmware: Firmware): Promise<Guest> {
  const folder = await mkdtemp(join(tmpdir(), 'guest-'))
  const variables = join(folder, 'variables.fd')
  if (firmware === 'uefi') await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', variables)
  const flash = [
    ['-drive', 'if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'],
    ['-drive', `if=pflash,format=raw,file=${variables}`],
  ].flat()
  const drive = `if=virtio,format=raw,cache=unsafe,file=${disk}`
  return start(folder, [...(firmware === 'uefi' ? flash : []), '-drive', drive, ...card])
}

/** Starts a kernel without any firmware; `parts`: its disks, if it has any. */
export async function startKernel(
  kernel: string,
  initrd: string,
  commandLine: string,
  parts: readonly string[] = [],
): Promise<Guest> {
  const folder = await mkdtemp(join(tmpdir(), 'guest-'))
  const append = `console=ttyS0 ${commandLine}`
  return start(folder, ['-kernel', kernel, '-initrd', initrd, '-append', append, ...card, ...parts])
}

/** The same with two cards on one cable, and nobody else there. */
export async function startKernelBetween(kernel: string, initrd: string): Promise<Guest> {
  const folder = await mkdtemp(join(tmpdir(), 'guest-'))
  const cards = [1, 2].flatMap((each) => [
    ['-netdev', `hubport,id=net${each},hubid=0`],
    ['-device', `virtio-net-pci,netdev=net${each},mac=52:54:00:97:00:0${each},romfile=`],
  ])
  return start(folder, ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 quiet', ...cards.flat()])
}

async function start(folder: string, parts: readonly string[]): Promise<Guest> {
  const serial = join(folder, 'serial.log')
  await writeFile(serial, '')
  const args = [
    ...machine,
    ...parts,
    '-chardev',
    `file,id=s,path=${serial},append=on`,
    '-serial',
    'chardev:s',
    '-monitor',
    'stdio',
  ]
  // It ends with who started it, also when that is killed.
  const argv = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args]
  const qemu = spawn('setpriv', argv, { stdio: ['pipe', 'ignore', 'pipe'] })
  const ended = once(qemu, 'exit')
  let complaint = ''
  qemu.stderr.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(-1000)))
  const early = (): string | undefined =>
    isOff() ? `QEMU ended with ${qemu.exitCode ?? qemu.signalCode}: ${complaint}` : undefined
  const isOff = (): boolean => qemu.exitCode !== null || qemu.signalCode !== null
  return {
    says: (pattern, timeoutMs) => waitForSerial(serial, pattern, { timeoutMs, ended: early }),
    off: async (timeoutMs, { pressing = false } = {}) => {
      const press = (): void => void qemu.stdin.write('system_powerdown\n')
      if (pressing) press()
      const again = pressing ? setInterval(press, AGAIN_MS) : undefined
      await once(AbortSignal.any([AbortSignal.timeout(timeoutMs), aborted(ended)]), 'abort')
      clearInterval(again)
      if (!isOff())
        throw new Error(`the machine is still on after ${timeoutMs} ms; its last lines:\n${await serialTail(serial)}`)
    },
    [Symbol.asyncDispose]: async () => {
      if (!isOff()) {
        qemu.kill('SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function aborted(when: Promise<unknown>): AbortSignal {
  const controller = new AbortController()
  void when.then(() => controller.abort())
  return controller.signal
}
