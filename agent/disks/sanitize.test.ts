import { describe, expect, it } from 'vitest'
import { eraseNvme, nvmeSelfErase, selfErasesOf } from './nvme.ts'
import { awaitSanitize, type NvmeTool, readSanitizeStatus, type Sanitizing } from './sanitize.ts'

const [never, completed, inProgress, failed] = [0, 1, 2, 3]

function page(status: number, progress = 0xffff): Buffer {
  const bytes = Buffer.alloc(512)
  bytes.writeUInt16LE(progress, 0)
  bytes.writeUInt16LE(status, 2)
  return bytes
}

/** A controller behind nvme-cli, which shows one page of its log after another, the last of them for ever. */
function controller(identify: object, pages: Buffer[] = [], namespaces = 1) {
  const said: string[] = []
  const seen: number[] = []
  let now = 0
  const tool: NvmeTool = async ([verb = '', ...args]) => {
    said.push([verb, ...args].join(' '))
    if (verb === 'id-ctrl') return Buffer.from(JSON.stringify(identify))
    if (verb === 'list-ns')
      return Buffer.from(
        Array.from({ length: namespaces }, (_, at) => `[${String(at).padStart(4)}]:0x${at + 1}\n`).join(''),
      )
    return verb === 'sanitize-log' ? (pages.length > 1 ? pages.shift()! : pages[0]!) : Buffer.alloc(0)
  }
  const clock = { now: () => now, random: () => 0, sleep: async (ms: number) => void (now += ms) }
  const means: Sanitizing = { clock, tool, progress: (done) => seen.push(done) }
  return { means, tool, said, seen, passed: () => now }
}

describe('a disk erases itself by the best that its controller can', () => {
  it.each([
    ['a format that forgets the key', { oacs: 2, fna: 4, sanicap: 3 }, 1, 'format cryptographic'],
    [
      'a sanitize that does, before a format that takes hours',
      { oacs: 2, fna: 0, sanicap: 1 },
      1,
      'sanitize cryptographic',
    ],
    ['a format of user data', { oacs: 2, fna: 0, sanicap: 2 }, 1, 'format user data'],
    ['a sanitize of blocks', { oacs: 0, fna: 0, sanicap: 2 }, 1, 'sanitize block erase'],
    ['no sanitize beside another namespace', { oacs: 0, fna: 0, sanicap: 3 }, 2, undefined],
    ['nothing, of a controller that says nothing', {}, 1, undefined],
    ['nothing, where the answer is none', 'no', 1, undefined],
  ])('%s', (_, identify, namespaces, expected) => {
    const [best] = selfErasesOf(identify, namespaces)
    expect(best && `${best.by} ${best.how}`).toBe(expected)
  })

  it('asks the controller, and how many namespaces there are', async () => {
    const { tool } = controller({ oacs: 0, fna: 0, sanicap: 2 })
    expect(await nvmeSelfErase('/dev/nvme0n1', tool)).toEqual({ by: 'sanitize', how: 'block erase' })
    const shared = controller({ oacs: 0, fna: 0, sanicap: 2 }, [], 2)
    expect(await nvmeSelfErase('/dev/nvme0n1', shared.tool)).toBeUndefined()
  })
})

describe('sanitize', () => {
  it('is waited for, and how far it is is told', async () => {
    const { means, said, seen } = controller({}, [page(inProgress, 0), page(inProgress, 0x8000), page(completed)])
    await eraseNvme('/dev/nvme0n1', { by: 'sanitize', how: 'cryptographic' }, means)
    expect(said[0]).toBe('sanitize /dev/nvme0n1 --sanact=4 --ause')
    expect(seen).toEqual([0, 0.5])
  })

  it('that fails brings the disk back to where it takes data, and is an error', async () => {
    const { means, said } = controller({}, [page(inProgress), page(failed)])
    const work = eraseNvme('/dev/nvme0n1', { by: 'sanitize', how: 'block erase' }, means)
    await expect(work).rejects.toThrow('/dev/nvme0n1 failed to sanitize itself')
    expect(said.at(-1)).toBe('sanitize /dev/nvme0n1 --sanact=1')
  })

  it('that never ends is given up after four hours', async () => {
    const { means, passed } = controller({}, [page(inProgress, 1)])
    const work = eraseNvme('/dev/nvme0n1', { by: 'sanitize', how: 'block erase' }, means)
    await expect(work).rejects.toThrow('still sanitizing itself after 4 h')
    expect(passed()).toBeGreaterThanOrEqual(4 * 3_600_000)
  })

  it.each([
    ['goes on from before a loss of power: it is waited for', [inProgress, inProgress, completed], 3, 0],
    ['failed before: the disk is brought back', [failed], 1, 1],
    ['never was', [never], 1, 0],
  ])('%s', async (_, statuses, logs, commands) => {
    const { means, said } = controller(
      {},
      statuses.map((status) => page(status)),
    )
    await awaitSanitize('/dev/nvme0n1', means)
    expect(said.filter((each) => each.startsWith('sanitize-log '))).toHaveLength(logs)
    expect(said.filter((each) => each.startsWith('sanitize '))).toHaveLength(commands)
  })

  it('is none of a disk that has no such log', async () => {
    const tool: NvmeTool = () => Promise.reject(new Error('Invalid Log Page'))
    await expect(awaitSanitize('/dev/nvme0n1', { ...controller({}).means, tool })).resolves.toBeUndefined()
  })

  it('has a status page whose reserved words and short forms are refused', () => {
    expect(readSanitizeStatus(page(4))).toMatchObject({ state: 'completed' })
    expect(() => readSanitizeStatus(page(5))).toThrow('reserved')
    expect(() => readSanitizeStatus(Buffer.alloc(3))).toThrow('3 bytes')
  })
})
