import { type ConsoleAsk, LOG_PART, MOST_LOG_PARTS } from '../../contract/console.ts'
import type { Command, Uplink } from '../../contract/messages.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { isGone, remember } from '../ledger/inbox.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Log } from '../log.ts'
import { Broadcast } from './broadcast.ts'
import type { OpenConsole } from './line.ts'
import type { Recordings } from './recording.ts'
import { ConsoleSession } from './session.ts'

/** Of one site at once; more wait until others close. */
const MOST_OPEN = 2_000
const MOST_WATCHERS = 64
const RESTORE_MS = 10_000

export interface ConsoleParts {
  ledger: Ledger
  clock: Clock
  random: () => number
  uuid: () => string
  log: Log
  recordings: Recordings
  /** Undefined: the machine has no console, or isn't known here. */
  consoleOf(node: string): OpenConsole | undefined
  publish(message: Uplink): Promise<void>
  /** The machine, as the cloud has it now. */
  learn(machine: Machine, generation: number): void
}

export interface Consoles {
  accept(command: Extract<Command, { kind: 'console' }>): void
  asked(node: string, ask: ConsoleAsk): void
  /** While a plan is under way its machine's console is open, where there is one. */
  attend(node: string): () => void
  /** What the machine's console shows, where it is open. */
  screenOf(node: string): string[] | undefined
  forget(node: string): void
  stop(): Promise<void>
}

interface Open {
  session: ConsoleSession
  broadcast: Broadcast | undefined
  /** Plans that want it. */
  attended: number
  /** What each watcher typed last. */
  typed: Map<string, number>
}

/** The consoles of a site: open while they are enabled, while a plan is under way, or while somebody watches. */
export function openConsoles(parts: ConsoleParts): Consoles {
  const { ledger, clock, log, recordings } = parts
  const open = new Map<string, Open>()
  const closing = new Set<Promise<void>>()
  const stopping = new AbortController()
  const isEnabled = (node: string): boolean =>
    ledger.statement('select 1 from console where node = ?').get(node) !== undefined

  const need = (node: string): Open | undefined => {
    const known = open.get(node)
    if (known) return known
    const openLine = open.size < MOST_OPEN ? parts.consoleOf(node) : undefined
    if (!openLine) return undefined
    const made: Open = {
      session: new ConsoleSession({
        open: openLine,
        clock,
        random: parts.random,
        record: (entries) => keep(node, entries),
        heard: (text) => made.broadcast?.heard(text),
      }),
      broadcast: undefined,
      attended: 0,
      typed: new Map(),
    }
    open.set(node, made)
    log.info({ node }, 'console opened')
    return made
  }

  /** A full disk costs the recording, not the console. */
  const keep = (node: string, entries: Parameters<Recordings['append']>[1]): void => {
    try {
      recordings.append(node, entries)
    } catch (error) {
      log.warn({ node, error: (error as Error).message }, 'console not recorded')
    }
  }

  const release = (node: string): void => {
    const known = open.get(node)
    if (!known || known.attended > 0 || known.broadcast || isEnabled(node)) return
    close(node, known)
  }

  const close = (node: string, { session, broadcast }: Open): void => {
    open.delete(node)
    broadcast?.stop()
    const work = Promise.all([session.close(), broadcast?.done])
      .then(() => log.info({ node }, 'console closed'))
      .finally(() => closing.delete(work))
    closing.add(work)
  }

  const watch = (node: string, seconds: number, snapshot: boolean): void => {
    const one = need(node)
    if (!one) return void refuse(node)
    if (one.broadcast) return one.broadcast.renew(seconds, snapshot)
    const broadcast = new Broadcast(
      {
        stream: parts.uuid(),
        session: one.session,
        clock,
        publish: (chunk) => parts.publish({ v: 1, kind: 'console', node, chunk }),
        ended: () => {
          one.broadcast = undefined
          one.typed.clear()
          release(node)
        },
      },
      seconds,
    )
    one.broadcast = broadcast
  }

  const refuse = async (node: string): Promise<void> => {
    const note =
      open.size >= MOST_OPEN
        ? `this site has ${MOST_OPEN} consoles open: close some`
        : 'the site knows no console of this machine: set its console_interface and enable its console, so that its site learns of it'
    const chunk = { stream: parts.uuid(), seq: 1, at: clock.now().toISOString(), text: null, screen: null }
    await parts.publish({ v: 1, kind: 'console', node, chunk: { ...chunk, state: 'off', note } }).catch(() => {})
  }

  /** Only of who watches, once each, in order. */
  const type = (node: string, { from, number, text, line_break }: Extract<ConsoleAsk, { act: 'type' }>): void => {
    const one = open.get(node)
    if (!one?.broadcast || number <= (one.typed.get(from) ?? 0)) return
    if (!one.typed.has(from) && one.typed.size >= MOST_WATCHERS) return
    one.typed.set(from, number)
    if (!one.session.type(text, line_break)) log.warn({ node, characters: text.length }, 'console takes no input')
  }

  const sendLog = async (node: string, request: string): Promise<void> => {
    open.get(node)?.session.flush()
    const whole = recordings.read(node).slice(-LOG_PART * MOST_LOG_PARTS)
    const count = Math.max(1, Math.ceil(whole.length / LOG_PART))
    for (let part = 0; part < count; part += 1) {
      const text = whole.slice(part * LOG_PART, (part + 1) * LOG_PART)
      await parts.publish({ v: 1, kind: 'console_log', node, request, part, parts: count, text })
    }
  }

  // Each at its own time: a site that starts does not log in to all of its BMCs at once.
  for (const { node } of ledger.statement('select node from console').all() as { node: string }[])
    void clock.sleep(parts.random() * RESTORE_MS, stopping.signal).then(
      () => void (isEnabled(node) && need(node)),
      () => undefined,
    )

  return {
    accept(command) {
      const { node, enabled } = command
      const fresh = ledger.soon(() => {
        if (!remember(ledger, command) || isGone(ledger, command)) return false
        if (command.machine) parts.learn(command.machine, command.generation)
        if (enabled) ledger.statement('insert or ignore into console (node) values (?)').run(node)
        else ledger.statement('delete from console where node = ?').run(node)
        return true
      })
      if (!fresh) return
      if (enabled) need(node)
      else release(node)
    },
    asked(node, ask) {
      if (ask.act === 'watch') watch(node, ask.seconds, ask.snapshot)
      else if (ask.act === 'type') type(node, ask)
      else
        void sendLog(node, ask.request).catch((error: unknown) =>
          log.warn({ node, error: (error as Error).message }, 'the recording of a console could not be sent'),
        )
    },
    attend(node) {
      const one = need(node)
      if (!one) return () => {}
      one.attended += 1
      return () => {
        one.attended -= 1
        release(node)
      }
    },
    screenOf: (node) => open.get(node)?.session.screen.lines(),
    forget(node) {
      const known = open.get(node)
      if (known) close(node, known)
      void Promise.allSettled(closing).then(() => recordings.forget(node))
    },
    async stop() {
      stopping.abort(new Error('the appliance is going down'))
      for (const [node, known] of open) close(node, known)
      await Promise.allSettled(closing)
    },
  }
}
