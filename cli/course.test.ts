import { describe, expect, it } from 'vitest'
import { newestGeneration, observe, stepName } from './course.ts'

type Seen = Parameters<typeof observe>[1]
const names = ['power.power_off', 'deploy.write_image']

function running(generation: number, step: number, percent: number | null = null): Seen {
  return {
    operation: {
      plan: '00000000-0000-4000-8000-000000000000',
      kind: 'deploy',
      generation,
      appliance: '00000000-0000-4000-8000-000000000001',
      ordinal: 1,
      phase: 'running',
      step,
      steps: 2,
      names,
      percent,
      note: null,
      since: '2026-01-01T00:00:00Z',
    },
    driver_internal_info: {},
  }
}

const over = (generation: number, seconds: number[]): Seen => ({
  operation: null,
  driver_internal_info: { last_operation: { kind: 'deploy', generation, names, seconds, phase: 'done' } },
})

describe('observe', () => {
  it('follows an operation from step to step, to where its time went', () => {
    let courses = observe([], running(5, 0), 4)
    courses = observe(courses, running(5, 1, 60), 4)
    expect(courses).toMatchObject([{ generation: 5, step: 1, percent: 60, seconds: undefined }])
    expect(observe(courses, over(5, [1, 20]), 4)).toMatchObject([{ generation: 5, step: 1, seconds: [1, 20] }])
  })

  it('keeps the one before while the next one runs', () => {
    const next = { ...running(6, 0), driver_internal_info: over(5, [1, 2]).driver_internal_info }
    expect(observe(observe([], running(5, 0), 4), next, 4)).toMatchObject([
      { generation: 5, seconds: [1, 2] },
      { generation: 6, seconds: undefined },
    ])
  })

  it('leaves out what was before', () => {
    expect(observe([], over(4, [1, 2]), 4)).toEqual([])
    expect(newestGeneration(over(4, [1, 2]))).toBe(4)
    expect(newestGeneration({ operation: null, driver_internal_info: {} })).toBe(0)
  })

  it('ignores an account of time that it does not understand', () => {
    expect(observe([], { operation: null, driver_internal_info: { last_operation: 'soon' } }, 0)).toEqual([])
  })
})

describe('stepName', () => {
  it('reads as words, also of a step that has no name', () => {
    const course = observe([], running(5, 0), 4)[0]!
    expect([stepName(course, 1), stepName(course, 2)]).toEqual(['deploy: write image', 'deploy step 3'])
  })
})
