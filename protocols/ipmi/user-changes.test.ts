import { expect, test } from 'vitest'
import { paperSession } from './testing/paper-session.ts'
import { putUser } from './user-changes.ts'
import { listUsers, mayLogIn } from './users.ts'

const worker = { name: 'worker', password: 'sixteen-bytes-pw', privilege: 'operator' } as const

test('a user who is not there is made, and logs in with the privilege that was given', async () => {
  const { session, open } = await paperSession()
  await putUser(session, worker)
  const login = { username: 'worker', password: worker.password }
  await (await open({ ...login, privilege: 'operator' })).close()
  await expect(open({ ...login, privilege: 'administrator' })).rejects.toThrow(/privilege/)
  expect((await listUsers(session)).find(({ name }) => name === 'worker')).toMatchObject({
    enabled: true,
    privilege: 3,
  })
})

test('a change of a user leaves all else of him, and twice is once', async () => {
  const { session, open } = await paperSession()
  await putUser(session, worker)
  for (let count = 0; count < 2; count += 1)
    await putUser(session, { name: 'worker', password: 'twenty-bytes-passwor' })
  await (await open({ username: 'worker', password: 'twenty-bytes-passwor', privilege: 'operator' })).close()
  await putUser(session, { name: 'worker', enabled: false })
  const [found, ...more] = (await listUsers(session)).filter(({ name }) => name === 'worker')
  expect([found, more]).toMatchObject([{ enabled: false, privilege: 3 }, []])
  expect(mayLogIn(found!)).toBe(false)
})

test('who is given no privilege may not log in; who is given no password is not made', async () => {
  const { session, open } = await paperSession()
  await putUser(session, { name: 'idle', password: 'something' })
  await expect(open({ username: 'idle', password: 'something', privilege: 'user' })).rejects.toThrow()
  await expect(putUser(session, { name: 'ghost', privilege: 'user' })).rejects.toThrow(
    /no user ghost.*needs a password/,
  )
  await expect(putUser(session, { name: 'a'.repeat(17), password: 'x' })).rejects.toThrow(/more than 16 bytes/)
})

test('a BMC without room says so', async () => {
  const { session } = await paperSession()
  for (let count = 3; count <= 16; count += 1) await putUser(session, { name: `user${count}`, password: 'x' })
  await expect(putUser(session, worker)).rejects.toThrow(/all 16 slots for users are taken/)
})
