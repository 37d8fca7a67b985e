import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailure } from './failure.ts'

/** Programs that the ramdisk must have. The recipe checks its result against this list. */
export const requiredPrograms: string[] = [
  'blkid',
  'blkdiscard',
  'blockdev',
  'busybox',
  'chroot',
  'date',
  'dmesg',
  'getty',
  'grub-mkimage',
  'hdparm',
  'ip',
  'login',
  'mdadm',
  'mcopy',
  'mkfs.ext4',
  'mkfs.vfat',
  'mkpasswd',
  'mkswap',
  'mount',
  'nvme',
  'partx',
  'setsid',
  'sync',
  'tar',
  'umount',
  'unshare',
]

const searched = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

export async function hasProgram(program: string): Promise<boolean> {
  return (await pathOf(program)) !== undefined
}

export async function findProgram(program: string): Promise<string> {
  const path = await pathOf(program)
  if (path !== undefined) return path
  throw new CommandFailure('CommandExecutionError', `the ramdisk does not have ${program}`)
}

async function pathOf(program: string): Promise<string | undefined> {
  for (const path of searched.map((folder) => join(folder, program))) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return undefined
}

/** Runs a program to its end and gives its standard output. The environment is fixed: output is parsed. `input`: what it reads. */
export function run(program: string, args: readonly string[], seconds: number, input?: string): Promise<Buffer> {
  const options = {
    timeout: seconds * 1000,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 16 * 1024 * 1024,
    encoding: 'buffer' as const,
    env: { PATH: searched.join(':'), LC_ALL: 'C' },
  }
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const said = stderr.toString('utf8').trim().slice(-500)
      const why =
        error.code === 'ENOENT'
          ? 'the ramdisk does not have it'
          : error.killed
            ? `no end within ${seconds} s`
            : `exit code ${error.code}${said ? `, ${said}` : ''}`
      reject(new CommandFailure('CommandExecutionError', `${[program, ...args].join(' ')} failed: ${why}`))
    })
    // A program that ends before it has read all says why itself.
    if (input !== undefined) child.stdin?.on('error', () => {}).end(input)
  })
}
