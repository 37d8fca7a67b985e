import { expect, test } from 'vitest'
import { decodeReply, encodeRequest, readAccounts, readTargets } from './admin-request.ts'

const reply = (code: number, text: string): Buffer => {
  const bytes = Buffer.alloc(8 + text.length)
  bytes.writeUInt32LE(code, 0)
  bytes.writeUInt32LE(bytes.length, 4)
  bytes.write(text, 8)
  return bytes
}

test('a request is a header of 120 bytes, and its parameters ended by a zero', () => {
  const bytes = encodeRequest({ mode: 'device', op: 'new', tid: 7, lun: 1, parameters: { path: '/a', bstype: 'rdwr' } })
  expect(bytes.readUInt32LE(0)).toBe(2)
  expect(bytes.readUInt32LE(4)).toBe(0)
  expect(bytes.toString('latin1', 8, 13)).toBe('iscsi')
  expect(bytes.readUInt32LE(72)).toBe(bytes.length)
  expect(bytes.readInt32LE(76)).toBe(7)
  expect(bytes.readBigUInt64LE(88)).toBe(1n)
  expect(bytes.toString('latin1', 120)).toBe('path=/a,bstype=rdwr\0')
  expect(encodeRequest({ mode: 'target', op: 'show' }).length).toBe(120)
  expect(encodeRequest({ mode: 'target', op: 'delete', tid: 1, force: true }).readUInt32LE(116)).toBe(1)
})

test('a value that would end its parameter is refused', () => {
  for (const value of ['a,b', 'a\0b'])
    expect(() => encodeRequest({ mode: 'account', op: 'new', parameters: { user: 'u', password: value } })).toThrow(
      'tgtd takes no password that holds a comma',
    )
})

test('a reply is its text; a refusal and a line that broke say what was to be done', () => {
  expect(decodeReply(reply(0, 'Portal: 127.0.0.1:3260,1\n\0'), 'show')).toBe('Portal: 127.0.0.1:3260,1\n')
  expect(() => decodeReply(reply(9, ''), 'make target a')).toThrow('tgtd refuses to make target a: the target exists')
  expect(() => decodeReply(reply(77, ''), 'make target a')).toThrow('error 77')
  expect(() => decodeReply(Buffer.alloc(7), 'make target a')).toThrow('tgtd broke off while it was to make target a')
})

test('what tgtd shows is read target by target', () => {
  const text = `Target 1: iqn.2026-11.x:a
    System information:
        Driver: iscsi
        State: ready
    I_T nexus information:
        I_T nexus: 3
            Initiator: iqn.2026-11.x:node alias: none
    LUN information:
        LUN: 0
            Backing store path: None
        LUN: 1
            Backing store path: /data/volumes/a b/disk
    Account information:
        user-1
    ACL information:
        iqn.2026-11.x:node
Target 12: iqn.2026-11.x:b
    LUN information:
        LUN: 0
            Backing store path: None
    Account information:
    ACL information:
`
  expect(readTargets(text)).toEqual([
    {
      tid: 1,
      name: 'iqn.2026-11.x:a',
      paths: ['/data/volumes/a b/disk'],
      accounts: ['user-1'],
      initiators: ['iqn.2026-11.x:node'],
    },
    { tid: 12, name: 'iqn.2026-11.x:b', paths: [], accounts: [], initiators: [] },
  ])
  expect(readTargets('')).toEqual([])
  expect(readAccounts('Account list:\n    user-1\n    user-2\n')).toEqual(['user-1', 'user-2'])
})
