import { expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import type { CipherSuiteId } from './cipher-suite.ts'
import { connect, type IpmiSession } from './client.ts'
import { NoSupportedCipherSuite } from './error.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperNet } from './testing/paper-net.ts'
import { virtualClock } from './testing/virtual-clock.ts'

test.each<[CipherSuiteId[]]>([[[0]], [[1, 2]], [[6, 7, 8, 11, 12]], [[15, 16]]])(
  'a BMC that has only %s, which prove or hide less, is not logged in to by them unless that is asked for',
  async (cipherSuites) => {
    const clock = virtualClock()
    const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
    const onError = (error: unknown): never => {
      throw error
    }
    const net = paperNet(createBmc({ users, chassis: paperChassis(), cipherSuites, clock, onError }))
    const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 5000 } as const
    const open = (cipherSuite?: CipherSuiteId): Promise<IpmiSession> =>
      clock.run(
        connect({
          socket: net,
          host: '127.0.0.1',
          port: 623,
          clock,
          ...login,
          ...(cipherSuite !== undefined && { cipherSuite }),
        }),
      )
    await expect(open()).rejects.toThrow(NoSupportedCipherSuite)
    expect((await open(cipherSuites[0])).cipherSuite).toBe(cipherSuites[0])
  },
)
