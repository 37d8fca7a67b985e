import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Log } from '../log.ts'
import { type AdminRequest, readAccounts, readTargets, type ShownTarget } from './admin-request.ts'
import { askTarget } from './admin-socket.ts'

/** One volume for one initiator: a target of its own, so that its name says all that there is to know of it. */
export interface Export {
  name: string
  path: string
  initiator: string
  user: string
  secret: string
  /** What initiators tell disks apart by. */
  serial: string
}

export interface Targets {
  /** All that there is from now on; what is there already is left in peace, sessions and all. Of those that can't be had, by name, why: they keep
   * no other back. */
  set(exports: Export[]): Promise<ReadonlyMap<string, unknown>>
  stop(): Promise<void>
}

export interface TargetOptions {
  /** Where its socket is. */
  dir: string
  /** `address:port`. */
  portal: string
  log: Log
}

const START_MS = 20_000
const STOP_MS = 5_000
const AGAIN_MS = 1_000
const WATCH_MS = 5_000

/**
 * Debian's tgtd, an iSCSI target that needs no kernel module, as a child that is started again if it ends. One that outlived the appliance is
 * taken over: machines run from its disks.
 */
export async function startTargets({ dir, portal, log }: TargetOptions): Promise<Targets> {
  // tgtd adds the number of its control port.
  const socket = join(dir, 'tgtd.0')
  const pidFile = join(dir, 'tgtd.pid')
  let wanted: Export[] = []
  let stopping = false
  let again: NodeJS.Timeout | undefined
  let watch: NodeJS.Timeout | undefined
  let work: Promise<unknown> = Promise.resolve()
  let said = ''

  const ask = (request: AdminRequest, what: string): Promise<string> => askTarget(socket, request, what)
  const shown = async (): Promise<ShownTarget[]> =>
    readTargets(await ask({ mode: 'target', op: 'show' }, 'show its targets'))

  async function start(): Promise<void> {
    if (await answers()) {
      log.info({ portal }, 'the iSCSI target outlived the appliance, and is taken over')
      watchOver()
      return
    }
    for (const left of [socket, `${socket}.lock`]) rmSync(left, { force: true })
    said = ''
    const argv = [`TGT_IPC_SOCKET=${join(dir, 'tgtd')}`, 'tgtd', '-f', '-t', '4', '--iscsi', `portal=${portal}`]
    const child = spawn('env', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
    // Its own --pid-file is written only by one that leaves its parent.
    if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid))
    let ended = ''
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)))
    child.on('error', (error) => (ended = error.message))
    child.on('exit', (code, signal) => {
      ended = `it ended with ${code ?? signal}`
      onEnd(ended)
    })
    const until = Date.now() + START_MS
    while (!(await answers())) {
      if (ended !== '')
        throw new HardwareError(
          `tgtd does not start: ${ended} (is Debian's package tgt installed?) ${said.trim()}`.trim(),
        )
      if (Date.now() > until) throw new HardwareError(`tgtd did not answer within ${START_MS / 1000} s: ${said.trim()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    // It goes on without its portal where the port is taken.
    const portals = await ask({ mode: 'portal', op: 'show' }, 'show where it listens')
    if (!portals.includes(portal)) throw new HardwareError(`tgtd can't listen on ${portal}: is the port in use?`)
  }

  /** Of one that is no child of ours, nobody tells that it ended. */
  function watchOver(): void {
    watch = setInterval(() => {
      void answers().then((does) => {
        if (does || stopping) return
        clearInterval(watch)
        onEnd('it answers no more')
      })
    }, WATCH_MS)
  }

  const answers = (): Promise<boolean> =>
    shown().then(
      () => true,
      () => false,
    )

  function onEnd(why: string): void {
    if (stopping || again !== undefined) return
    log.error({ why, said: said.trim() }, 'the iSCSI target stopped, and is started again')
    again = setTimeout(() => {
      again = undefined
      inTurn(() => start().then(sync)).catch((error: unknown) => onEnd(sentence(error)))
    }, AGAIN_MS)
  }

  /** What is there becomes what is wanted. One that is not whole was interrupted in the making. */
  async function sync(): Promise<Map<string, unknown>> {
    const there = await shown()
    const whole = there.filter(({ name, paths, accounts, initiators }) =>
      wanted.some(
        (each) =>
          each.name === name &&
          paths.includes(each.path) &&
          accounts.includes(each.user) &&
          initiators.includes(each.initiator),
      ),
    )
    for (const { tid, name } of there.filter((each) => !whole.includes(each)))
      await ask({ mode: 'target', op: 'delete', tid, force: true }, `delete target ${name}`)
    const inUse = new Set(whole.flatMap(({ accounts }) => accounts))
    for (const user of readAccounts(await ask({ mode: 'account', op: 'show' }, 'show its accounts')))
      if (!inUse.has(user)) await ask({ mode: 'account', op: 'delete', parameters: { user } }, 'delete an account')
    const taken = new Set(whole.map(({ tid }) => tid))
    const failed = new Map<string, unknown>()
    for (const each of wanted.filter(({ name }) => !whole.some((target) => target.name === name))) {
      let tid = 1
      while (taken.has(tid)) tid += 1
      taken.add(tid)
      await make(tid, each).catch((error: unknown) => failed.set(each.name, error))
    }
    for (const [name, error] of failed)
      log.error({ target: name, error: sentence(error) }, 'a target could not be made')
    return failed
  }

  /** Nobody gets in before the last step. */
  async function make(tid: number, { name, path, initiator, user, secret, serial }: Export): Promise<void> {
    const about = `make target ${name}`
    await ask({ mode: 'target', op: 'new', tid, parameters: { targetname: name } }, about)
    await ask({ mode: 'account', op: 'new', parameters: { user, password: secret } }, about)
    await ask({ mode: 'account', op: 'bind', tid, parameters: { user } }, about)
    await ask({ mode: 'device', op: 'new', tid, lun: 1, parameters: { path, bstype: 'rdwr' } }, about)
    const identity = { vendor_id: 'BLOOMERY', product_id: 'VOLUME', scsi_sn: serial, scsi_id: serial }
    await ask({ mode: 'device', op: 'update', tid, lun: 1, parameters: identity }, about)
    await ask({ mode: 'target', op: 'bind', tid, parameters: { 'initiator-name': initiator } }, about)
  }

  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = work.then(act, act)
    work = next.catch(() => {})
    return next
  }

  async function end(): Promise<void> {
    stopping = true
    clearTimeout(again)
    clearInterval(watch)
    await work
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'latin1')) : 0
    // It heeds no SIGTERM. What was acknowledged to initiators is in the files, which are the kernel's to write.
    if (isTgtd(pid)) process.kill(pid, 'SIGKILL')
    const until = Date.now() + STOP_MS
    while (isTgtd(pid) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  try {
    await start()
  } catch (error) {
    await end()
    throw error
  }
  return {
    set(exports) {
      wanted = exports
      return inTurn(sync)
    },
    stop: end,
  }
}

/** The number of a process that ended may be another's by now. */
function isTgtd(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0]?.endsWith('tgtd') === true
  } catch {
    return false
  }
}
