import { command, netFns } from './command.ts'
import { bits, bytes, nothing, rest, struct, uint16, uint8 } from './fields.ts'

const { app, storage } = netFns

/** IPMI 2.0 §20.2: it answers, then starts anew; every session is gone. */
export const coldReset = command({
  name: 'Cold Reset',
  netFn: app,
  code: 0x02,
  needs: 'administrator',
  request: nothing,
  response: nothing,
})

/** §20.3 */
export const warmReset = command({ ...coldReset, name: 'Warm Reset', code: 0x03 })

/** §20.4. 55: all is well; 56: there is no self test; else something failed, see `detail`. */
export const getSelfTestResults = command({
  name: 'Get Self Test Results',
  netFn: app,
  code: 0x04,
  needs: 'user',
  request: nothing,
  response: struct({ result: uint8, detail: uint8 }),
})

/** §20.8 */
export const getDeviceGuid = command({
  name: 'Get Device GUID',
  netFn: app,
  code: 0x08,
  needs: 'user',
  request: nothing,
  response: struct({ guid: bytes(16) }),
})

/** §22.14: the server's, where the other is the BMC's own; of most they are the same. */
export const getSystemGuid = command({ ...getDeviceGuid, name: 'Get System GUID', code: 0x37 })

/** §34.1 */
export const getFruAreaInfo = command({
  name: 'Get FRU Inventory Area Info',
  netFn: storage,
  code: 0x10,
  needs: 'user',
  request: struct({ device: uint8 }),
  response: struct({ size: uint16, access: bits({ byWords: 0 }) }),
})

/** §34.2. In words where the area is accessed by words. */
export const readFruData = command({
  name: 'Read FRU Data',
  netFn: storage,
  code: 0x11,
  needs: 'user',
  request: struct({ device: uint8, offset: uint16, count: uint8 }),
  response: struct({ count: uint8, data: rest }),
})
