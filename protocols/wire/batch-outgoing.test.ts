import { beforeEach, expect, test } from 'vitest'
import { AF_INET, MMSGHDR } from './arena.ts'
import { BatchOutgoing } from './batch-outgoing.ts'
import { Errno, type Libc } from './libc.ts'

const TO = { address: 0x7f00_0001, port: 9 }
/** What each call of sendmmsg returns: how many it took, or an error. When none is left, all is taken. */
let answers: (number | { errno: number })[]
let calls: number[]
let errors: string[]
let outgoing: BatchOutgoing

beforeEach(() => {
  answers = []
  calls = []
  errors = []
  let errno = 0
  const native: Partial<Libc> = {
    addressOf: () => MMSGHDR * 1_024,
    errno: () => errno,
    sendmmsg(_, __, count) {
      const answer = answers.shift() ?? count
      if (typeof answer === 'number') calls.push(answer)
      else errno = answer.errno
      return typeof answer === 'number' ? answer : -1
    },
  }
  outgoing = new BatchOutgoing(native as Libc, AF_INET, (error) => errors.push(error.message))
})

const say = (count: number): void => {
  for (let each = 0; each < count; each += 1) outgoing.send(Uint8Array.of(each), TO)
}

test('what is said in one turn goes by one call, and the rest of what was taken in part by the next', async () => {
  answers = [5]
  say(12)
  await Promise.resolve()
  expect(calls).toEqual([5, 7])
  say(3)
  await Promise.resolve()
  expect(calls).toEqual([5, 7, 3])
})

test('what the network takes no more of goes out a little later', async () => {
  answers = [2, { errno: Errno.EAGAIN }, { errno: Errno.EAGAIN }]
  say(4)
  await expect.poll(() => calls).toEqual([2, 2])
  expect(errors).toEqual([])
})

test('while it takes nothing, memory is bounded, and what is dropped is told', () => {
  answers = Array.from({ length: 500 }, () => ({ errno: Errno.EAGAIN }))
  say(70)
  expect(errors).toHaveLength(6)
  expect(errors[0]).toContain('takes no more')
  outgoing.close()
})

test('one that cannot be sent is passed over, a call that was interrupted is made again', async () => {
  answers = [{ errno: Errno.EINTR }, 1, { errno: Errno.EINVAL }]
  say(3)
  await Promise.resolve()
  expect(calls).toEqual([1, 1])
  expect(errors).toEqual(['sendmmsg failed: EINVAL'])
})

test('a datagram that fits no slot is an error; when it is closed, nothing is sent', async () => {
  outgoing.send(new Uint8Array(2_000), TO)
  expect(errors).toHaveLength(1)
  outgoing.close()
  say(1)
  await Promise.resolve()
  expect(calls).toEqual([])
})
