import { describe, expect, it } from 'vitest'
import { explain, type WhyFacts } from './why.ts'

const rest: WhyFacts = {
  node: '1be26c0b-03f2-4d2e-ae87-c02d7f33c123',
  name: 'n1',
  provision_state: 'available',
  target_provision_state: null,
  power_state: 'power off',
  target_power_state: null,
  maintenance: false,
  maintenance_reason: null,
  last_error: null,
  deadline: null,
  operation: null,
  command: null,
  appliance: { name: 'box-1', alive: true, last_seen: '2026-11-23T10:00:00.000Z' },
  site: 'berlin',
  health: null,
  screen: null,
  deploy_log: null,
}
const dead = { name: 'box-1', alive: false, last_seen: '2026-11-23T09:00:00.000Z' }
const running = {
  kind: 'deploy',
  phase: 'running' as const,
  step: 'deploy.write_image',
  number: 4,
  steps: 9,
  percent: 41.6,
  note: '2 of 5 GiB',
  at: '2026-11-23T09:59:00.000Z',
  reports: 3,
  boot: [],
}
const sent = { ...running, phase: 'sent' as const, reports: 0, note: null, percent: null }
const deploying = {
  ...rest,
  provision_state: 'deploying' as const,
  deadline: '2026-11-23T10:30:00.000Z',
  command: { sent_at: '2026-11-23T09:58:00.000Z', acknowledged: true },
}

describe('the reason of a node that', () => {
  const rows: Array<[string, WhyFacts, RegExp]> = [
    ['rests', rest, /Nothing is asked of it.*goes on with .*manage/],
    ['is under maintenance', { ...rest, maintenance: true, maintenance_reason: 'disk' }, /under maintenance: disk\.$/],
    ['failed', { ...rest, provision_state: 'deploy failed', last_error: 'No route.' }, /came to nothing: No route\.$/],
    [
      'has broken hardware',
      { ...rest, health: { level: 'Critical', causes: ['PSU 1: has lost its input', 'Inlet: 48 °C'] } },
      /Nothing is asked of it.*\. Its hardware is not well \(Critical\): PSU 1: has lost its input; Inlet: 48 °C\.$/,
    ],
    ['is held', { ...rest, provision_state: 'clean hold' }, /holds it.*unhold/],
    ['has no site', { ...deploying, site: '', appliance: null }, /no site.*conductor_group/],
    ['has a site without appliance', { ...deploying, appliance: null }, /Site berlin has no appliance/],
    ['is being planned', deploying, /just being planned/],
    ['lost its appliance', { ...deploying, operation: sent, appliance: null }, /given up at its deadline/],
    [
      'waits for a site that is cut off',
      { ...deploying, operation: sent, appliance: dead },
      /command waits for box-1.*09:00/,
    ],
    [
      'runs behind a cut',
      { ...deploying, operation: running, appliance: dead },
      /go on by itself. Last report: 2 of 5 GiB\.$/,
    ],
    [
      'has a command under way',
      { ...deploying, operation: sent, command: { sent_at: '2026-11-23T09:58:00.000Z', acknowledged: false } },
      /on its way to box-1/,
    ],
    ['has a command in the ledger', { ...deploying, operation: sent }, /has the command and has not reported/],
    ['is worked on', { ...deploying, operation: running }, /step 4 of 9, deploy.write_image \(42 %\).*2 of 5 GiB\.$/],
    [
      'waits for a ramdisk',
      { ...deploying, operation: { ...running, phase: 'waiting', step: 'deploy.start_agent', percent: null } },
      /waits at step 4.*boot mode/,
    ],
    ['is held at a step', { ...deploying, operation: { ...running, phase: 'held' } }, /held at step 4 of 9.*unhold/],
  ]
  it.each(rows)('%s', (_, facts, expected) => {
    expect(explain(facts).reason).toMatch(expected)
  })

  it('is one that never was seen says so', () => {
    const never = { ...dead, last_seen: null }
    expect(explain({ ...deploying, operation: sent, appliance: never }).reason).toMatch(/has never been heard of/)
  })
})
