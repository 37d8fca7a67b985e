import { WireError } from '@bloomery/wire/error.ts'
import type { IpmiSession } from './client.ts'
import { MalformedAnswer } from './error.ts'
import { type Fru, readFru } from './fru.ts'
import { getFruAreaInfo, readFruData } from './inventory-commands.ts'

const PART = 16

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

function malformed({ host, port }: IpmiSession, operation: string, cause: WireError): MalformedAnswer {
  return new MalformedAnswer({ host, port, operation }, cause)
}
