import { startBmc } from '../server.ts'
import { paperChassis } from './paper-chassis.ts'

/** So many BMCs of paper, as a program of its own: prints their ports and runs until its input ends. */
export const paperUser = { name: 'admin', password: 'paper-secret', privilege: 'administrator' } as const

if (import.meta.main) {
  const users = [paperUser]
  const onError = (error: unknown): never => {
    throw error
  }
  const bmcs = await Promise.all(
    Array.from({ length: Number(process.argv[2] ?? 1) }, () =>
      startBmc({ host: '127.0.0.1', port: 0, users, chassis: paperChassis(), onError, limits: { active: 64 } }),
    ),
  )
  process.stdout.write(`${bmcs.map(({ port }) => port).join(' ')}\n`)
  process.stdin.resume().on('end', () => void Promise.all(bmcs.map((bmc) => bmc.close())))
}
