import { expect, test } from 'vitest'
import { orphanedRacks } from './reaper.ts'

test('a rack is an orphan when its process is gone', () => {
  const namespaces = ['bl10x1-site', 'bl10x1-cloud', 'bl20x1-site', 'bl20x2-bmcs']
  expect(orphanedRacks(namespaces, (pid) => pid === 10)).toEqual(['bl20x1', 'bl20x2'])
})

test('so is the network of a peer test', () => {
  const namespaces = ['blm-chk-10-s', 'blm-chk-20-s', 'blm-chk-20-r', 'blm-dh6-30-systemd-networkd']
  expect(orphanedRacks(namespaces, (pid) => pid === 10)).toEqual(['blm-chk-20', 'blm-dh6-30'])
})

test('namespaces of others are left alone', () => {
  expect(orphanedRacks(['qrouter-1', 'blx1-site', 'bl20x1', 'xbl20x1-site'], () => false)).toEqual([])
})
