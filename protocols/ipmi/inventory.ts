import { WireError } from '@bloomery/wire/error.ts'
import type { PowerReading } from './bmc-options.ts'
import type { IpmiSession } from './client.ts'
import { MalformedAnswer } from './error.ts'
import { type Fru, readFru } from './fru.ts'
import { DCMI, getFruAreaInfo, getPowerReading, readFruData } from './inventory-commands.ts'

const PART = 16
const SYSTEM_POWER = 1

/** What the FRU device (0: the server itself) says of it. */
export async function readFruDevice(session: IpmiSession, device: number): Promise<Fru> {
  const { size, access } = await session.send(getFruAreaInfo, { device })
  const unit = access.byWords ? 2 : 1
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < size;) {
    const count = Math.min(PART, size - offset) / unit
    const answer = await session.send(readFruData, { device, offset: offset / unit, count: Math.ceil(count) })
    if (answer.data.length === 0)
      throw malformed(session, readFruData.name, new WireError('no data where some are due'))
    parts.push(answer.data)
    offset += answer.data.length
  }
  try {
    return readFru(Buffer.concat(parts))
  } catch (error) {
    throw error instanceof WireError ? malformed(session, readFruData.name, error) : error
  }
}

/** DCMI 1.5 §6.6.1 */
export async function readPowerReading(session: IpmiSession): Promise<PowerReading> {
  const request = { group: DCMI, mode: SYSTEM_POWER, attributes: 0, reserved: 0 }
  const { group, watts, minimum, maximum, average, periodMs } = await session.send(getPowerReading, request)
  if (group !== DCMI) throw malformed(session, getPowerReading.name, new WireError('the answer is not of DCMI'))
  return { watts, minimum, maximum, average, periodMs }
}

function malformed({ host, port }: IpmiSession, operation: string, cause: WireError): MalformedAnswer {
  return new MalformedAnswer({ host, port, operation }, cause)
}
