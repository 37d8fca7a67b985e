import type { NewReport, Outbox } from './ledger/outbox.ts'

type Notice = Extract<NewReport, { kind: 'notice' }>

const AGAIN_MS = 3_600_000
const MOST = 256

export interface Notices {
  /** What is said of the same `cause` again within an hour is not told again. */
  tell(cause: string, notice: Omit<Notice, 'kind'>): void
}

/** What people should look at, told to the cloud: once an hour for each cause, and only so many, because some causes are anybody's to make. */
export function openNotices(outbox: Pick<Outbox, 'append'>, now: () => Date): Notices {
  const told = new Map<string, number>()
  return {
    tell(cause, notice) {
      const at = now().getTime()
      for (const [known, when] of told) if (at - when >= AGAIN_MS) told.delete(known)
      if (told.has(cause) || told.size >= MOST) return
      told.set(cause, at)
      outbox.append({ kind: 'notice', ...notice, text: notice.text.slice(0, 1024) })
    },
  }
}
