import { expect, test } from 'vitest'
import type { NewReport } from './ledger/outbox.ts'
import { openNotices } from './notices.ts'

test('a cause is told once an hour, and a flood of causes is cut off', () => {
  const reports: NewReport[] = []
  let now = 0
  const notices = openNotices({ append: (report) => void reports.push(report) }, () => new Date(now))
  const notice = { subject: 'dhcp server', text: 'another DHCP server, 10.1.0.66' } as const
  notices.tell('10.1.0.66', notice)
  now = 3_599_000
  notices.tell('10.1.0.66', notice)
  expect(reports).toEqual([{ kind: 'notice', ...notice }])
  now = 3_600_000
  notices.tell('10.1.0.66', notice)
  expect(reports).toHaveLength(2)
  for (let index = 0; index < 1_000; index += 1) notices.tell(`cause ${index}`, notice)
  expect(reports).toHaveLength(257)
})
