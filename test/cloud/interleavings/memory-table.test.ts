import type { PlatformUnderTest } from '../../contracts/platform.ts'
import { queryContract } from '../../contracts/query-contract.ts'
import { writeContract } from '../../contracts/write-contract.ts'
import { MemoryTable } from './memory-table.ts'

async function make(): Promise<PlatformUnderTest> {
  return { platform: { table: new MemoryTable() }, close: async () => {} } as unknown as PlatformUnderTest
}
writeContract('the table of interleavings', make)
queryContract('the table of interleavings', make)
