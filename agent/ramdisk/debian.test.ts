import { expect, test } from 'vitest'
import { fileName, parsePlan } from './debian.ts'

const plan = `Reading package lists...
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64]) []
Inst libaudit1 (1:3.0.9-1 Debian:12.15/oldstable [amd64]) []
Inst readline-common (8.2-1.3 Debian:12.15/oldstable, Debian-Security:12 [all])
Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
`

test("apt's simulated plan is read as names, versions and architectures in order of name", () => {
  expect(parsePlan(plan)).toEqual([
    { name: 'libaudit1', version: '1:3.0.9-1', architecture: 'amd64' },
    { name: 'libc6', version: '2.36-9+deb12u14', architecture: 'amd64' },
    { name: 'readline-common', version: '8.2-1.3', architecture: 'all' },
  ])
})

test("an epoch is written in the archive's file name as apt writes it", () => {
  expect(fileName({ name: 'libaudit1', version: '1:3.0.9-1', architecture: 'amd64' })).toBe(
    'libaudit1_1%3a3.0.9-1_amd64.deb',
  )
})
