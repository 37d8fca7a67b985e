import { expect, it } from 'vitest'
import { healthText } from './health.ts'

const nothing = { since: null, reported_at: null, causes: [], log: [], drift: null }

it('a node that nobody looked at is of unknown health', () => {
  expect(healthText({ health: null, ...nothing })).toBe('health  unknown')
})

it('causes and the end of the log are tables, and what a BMC writes does not steer the terminal', () => {
  const at = '2026-11-23T10:00:00.000Z'
  const text = healthText({
    ...nothing,
    health: 'Critical',
    since: at,
    causes: [{ subject: 'x', level: 'Critical', text: 'Inlet: 48 °C\u001b[31m', since: at }],
    log: [{ at: null, level: 'Warning', text: 'memory 9: correctable ECC error', times: 3, reported_at: at }],
    drift: { read_at: at, differences: ['firmware of bmc is 1.0, not 2.0'] },
  })
  expect(text).not.toContain('\u001b')
  expect(text.split('\n')).toEqual([
    'health  Critical',
    `since   ${at}`,
    'drift   firmware of bmc is 1.0, not 2.0',
    '',
    'LEVEL     SINCE                     CAUSE',
    `Critical  ${at}  Inlet: 48 °C [31m`,
    '',
    'LOGGED   LEVEL    ENTRY',
    'undated  Warning  memory 9: correctable ECC error (3 times)',
  ])
})
