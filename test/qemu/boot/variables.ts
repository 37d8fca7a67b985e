import { readFile } from 'node:fs/promises'

/** edk2's variable store: MdeModulePkg/Include/Guid/VariableFormat.h, behind a firmware volume's header (PI 1.8, vol. 3, §3.2.1). */
const HEADER_LENGTH_AT = 48
const STORE_HEADER = 28
const VARIABLE_HEADER = 60
const [START, ADDED, ERASED] = [0x55aa, 0x3f, 0xff]
const NON_VOLATILE = 1
const BOOT_SERVICES = 2

/** SHIM_LOCK_GUID, 605dab50-e046-4300-abb6-3dd810dd8b23, as firmware keeps it. */
const SHIM_LOCK = Buffer.from('50ab5d6046e00043abb63dd810dd8b23', 'hex')

/** Firmware's variables as Debian ships them, and one more: what shim is to take for revoked (its SBAT.md). */
export async function variableStore(path: string, sbatLevel: string | undefined): Promise<Buffer> {
  const store = await readFile(path)
  if (sbatLevel === undefined) return store
  const variable = encodeVariable('SbatLevel', SHIM_LOCK, Buffer.from(sbatLevel))
  variable.copy(store, endOfVariables(store))
  return store
}

function endOfVariables(store: Buffer): number {
  let at = store.readUInt16LE(HEADER_LENGTH_AT) + STORE_HEADER
  while (store.readUInt16LE(at) === START) {
    const size = VARIABLE_HEADER + store.readUInt32LE(at + 36) + store.readUInt32LE(at + 40)
    at = aligned(at + size)
  }
  if (store[at] !== ERASED) throw new Error(`the variable store is not understood at byte ${at}`)
  return at
}

function encodeVariable(name: string, vendor: Buffer, data: Buffer): Buffer {
  const title = Buffer.from(`${name}\0`, 'utf16le')
  const header = Buffer.alloc(VARIABLE_HEADER)
  header.writeUInt16LE(START, 0)
  header.writeUInt8(ADDED, 2)
  header.writeUInt32LE(NON_VOLATILE | BOOT_SERVICES, 4)
  header.writeUInt32LE(title.length, 36)
  header.writeUInt32LE(data.length, 40)
  vendor.copy(header, 44)
  return Buffer.concat([header, title, data])
}

const aligned = (at: number): number => (at + 3) & ~3
