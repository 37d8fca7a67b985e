import { command, netFns } from './command.ts'
import { bits, bytes, int16, nothing, rest, struct, uint16, uint32, uint8 } from './fields.ts'

const { storage } = netFns

/** IPMI 2.0 §31.6 and §33.12: stands for the first record in a request, and in a response for "there is none after". */
export const FIRST_RECORD = 0x0000
export const LAST_RECORD = 0xffff

/** §31.2 */
export const getSelInfo = command({
  name: 'Get SEL Info',
  netFn: storage,
  code: 0x40,
  needs: 'user',
  request: nothing,
  response: struct({
    version: uint8,
    entries: uint16,
    freeBytes: uint16,
    lastAddition: uint32,
    lastErase: uint32,
    support: bits({ allocationInfo: 0, reserve: 1, partialAdd: 2, delete: 3, overflow: 7 }),
  }),
})

/** §31.4 */
export const reserveSel = command({
  name: 'Reserve SEL',
  netFn: storage,
  code: 0x42,
  needs: 'user',
  request: nothing,
  response: struct({ reservation: uint16 }),
})

/** §31.5 */
export const getSelEntry = command({
  name: 'Get SEL Entry',
  netFn: storage,
  code: 0x43,
  needs: 'user',
  request: struct({ reservation: uint16, record: uint16, offset: uint8, count: uint8 }),
  response: struct({ next: uint16, data: rest }),
})

/** §31.6 */
export const addSelEntry = command({
  name: 'Add SEL Entry',
  netFn: storage,
  code: 0x44,
  needs: 'operator',
  request: struct({ entry: bytes(16) }),
  response: struct({ record: uint16 }),
})

/** §31.8 */
export const deleteSelEntry = command({
  name: 'Delete SEL Entry',
  netFn: storage,
  code: 0x46,
  needs: 'operator',
  request: struct({ reservation: uint16, record: uint16 }),
  response: struct({ record: uint16 }),
})

/** §31.9. `magic` is "CLR"; `action` begins (AA) or asks how far it is (00). */
export const clearSel = command({
  name: 'Clear SEL',
  netFn: storage,
  code: 0x47,
  needs: 'operator',
  request: struct({ reservation: uint16, magic: bytes(3), action: uint8 }),
  response: struct({ progress: bits({ state: [0, 4] }) }),
})

/** §31.10: seconds since 1970; which time zone is the owner's affair, by use it is UTC. */
export const getSelTime = command({
  name: 'Get SEL Time',
  netFn: storage,
  code: 0x48,
  needs: 'user',
  request: nothing,
  response: struct({ seconds: uint32 }),
})

/** §31.11 */
export const setSelTime = command({
  name: 'Set SEL Time',
  netFn: storage,
  code: 0x49,
  needs: 'operator',
  request: struct({ seconds: uint32 }),
  response: nothing,
})

/** §31.11a: minutes; this value says that nobody has told the BMC. */
export const UNKNOWN_OFFSET = 0x7fff

export const getSelTimeOffset = command({
  name: 'Get SEL Time UTC Offset',
  netFn: storage,
  code: 0x5c,
  needs: 'user',
  request: nothing,
  response: struct({ minutes: int16 }),
})

/** §31.11b */
export const setSelTimeOffset = command({
  name: 'Set SEL Time UTC Offset',
  netFn: storage,
  code: 0x5d,
  needs: 'operator',
  request: struct({ minutes: int16 }),
  response: nothing,
})
