import { expect, test } from 'vitest'
import { spentIn, timetable } from './times.ts'

const course = { generation: 3, kind: 'deploy', step: 1, percent: null, note: null }

test('an operation that is over tells the seconds of each step that ran', () => {
  const over = { ...course, names: ['power.power_off', 'deploy.write_image', 'deploy.boot_instance'], seconds: [1, 20] }
  expect(spentIn(over)).toEqual([
    { operation: 'deploy', step: 'power: power off', seconds: 1 },
    { operation: 'deploy', step: 'deploy: write image', seconds: 20 },
  ])
})

test('an operation that still runs has spent nothing yet', () => {
  expect(spentIn({ ...course, names: ['deploy.write_image'], seconds: undefined })).toEqual([])
})

test('the table has a row for each step that took time in any server, and the sums', () => {
  const step = (name: string, seconds: number) => ({ operation: 'deploy', step: name, seconds })
  const [head, ...rows] = timetable([
    { name: 'one', spent: [step('write', 10), step('sync', 0.01)] },
    { name: 'two', spent: [step('write', 20), step('sync', 0.02), step('boot', 1)] },
  ])
  expect(head!.trim().split(/\s+/)).toEqual(['one', 'two'])
  expect(rows.map((row) => row.replace('█'.repeat(24), 'whole').trim().split(/\s+/))).toEqual([
    ['deploy', 'write', '10.0', '20.0', 'whole'],
    ['deploy', 'boot', '0.0', '1.0', '█'],
    ['in', 'all,', 'in', 'seconds', '10.0', '21.0'],
  ])
})

test('a step that ran twice counts twice', () => {
  const twice = { operation: 'clean', step: 'erase', seconds: 2 }
  expect(timetable([{ name: 'one', spent: [twice, twice] }])[1]).toMatch(/clean\s+erase\s+4\.0/)
})
