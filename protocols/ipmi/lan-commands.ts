import { command, netFns } from './command.ts'
import { bits, nothing, rest, struct, uint8 } from './fields.ts'

const { transport } = netFns

/** IPMI 2.0 §23.1, §23.2: these commands' own completion codes. */
export const lanCodes = { notSupported: 0x80, inProgress: 0x81, readOnly: 0x82, writeOnly: 0x83 } as const

/** §23.1; what the data of a parameter mean is in lan-parameters.ts. */
export const setLanParameter = command({
  name: 'Set LAN Configuration Parameters',
  netFn: transport,
  code: 0x01,
  needs: 'administrator',
  request: struct({ channel: bits({ number: [0, 4] }), selector: uint8, data: rest }),
  response: nothing,
})

/** §23.2 */
export const getLanParameter = command({
  name: 'Get LAN Configuration Parameters',
  netFn: transport,
  code: 0x02,
  needs: 'operator',
  request: struct({ channel: bits({ number: [0, 4], revisionOnly: 7 }), selector: uint8, set: uint8, block: uint8 }),
  response: struct({ revision: uint8, data: rest }),
})
