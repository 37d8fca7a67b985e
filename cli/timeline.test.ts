import { describe, expect, it } from 'vitest'
import { observe, secondsOf, type Segment } from './timeline.ts'

type Seen = Parameters<typeof observe>[1]
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()

function running(step: number, name: string, second: number, more: Partial<NonNullable<Seen['operation']>> = {}): Seen {
  return {
    operation: {
      plan: '00000000-0000-4000-8000-000000000000',
      kind: 'deploy',
      generation: 3,
      appliance: '00000000-0000-4000-8000-000000000001',
      ordinal: 1,
      phase: 'running',
      step,
      steps: 4,
      percent: null,
      note: null,
      since: at(second),
      ...more,
    },
    deploy_step: { interface: 'deploy', step: name },
    clean_step: {},
    service_step: {},
    provision_state: 'deploying',
    provision_updated_at: at(0),
  }
}

const resting = (second: number): Seen => ({
  ...running(0, '', 0),
  operation: null,
  deploy_step: {},
  provision_state: 'active',
  provision_updated_at: at(second),
})

const seen = (...looks: Seen[]): Segment[] => looks.reduce<Segment[]>((timeline, look) => observe(timeline, look), [])

describe('observe', () => {
  it('takes each step’s time from its start to the next one’s, and the last one’s to the end', () => {
    const timeline = seen(
      running(0, 'power_off', 1),
      running(0, 'power_off', 1),
      running(2, 'write_image', 4),
      running(3, 'boot_instance', 30),
      resting(33),
    )
    expect(timeline.map((each) => [each.name, secondsOf(each, 0)])).toEqual([
      ['power off', 3],
      ['write image', 26],
      ['boot instance', 3],
    ])
  })

  it('keeps a step’s start while its percentage and note move on', () => {
    const timeline = seen(
      running(1, 'write_image', 4, { percent: 10 }),
      running(1, 'write_image', 9, { percent: 60, note: 'writing' }),
    )
    expect(timeline).toMatchObject([{ percent: 60, note: 'writing', begun: Date.parse(at(4)), ended: undefined }])
  })

  it('begins anew with the next operation', () => {
    const timeline = seen(running(1, 'power_off', 4), running(0, 'erase', 9, { generation: 4, kind: 'clean' }))
    expect(timeline.map(({ operation, ended }) => [operation, ended])).toEqual([
      ['deploy', Date.parse(at(9))],
      ['clean', undefined],
    ])
  })

  it('is empty while no site has begun', () => {
    expect(seen(resting(1))).toEqual([])
  })
})
