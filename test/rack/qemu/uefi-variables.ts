/** edk2's variable store: MdeModulePkg/Include/Guid/VariableFormat.h, behind a firmware volume's header (PI 1.8, vol. 3, §3.2.1). */
const HEADER_LENGTH_AT = 48
const STORE_HEADER = 28
const VARIABLE_HEADER = 60
const [START, ADDED, ERASED] = [0x55aa, 0x3f, 0xff]
const NON_VOLATILE = 1
const BOOT_SERVICES = 2
const RUNTIME = 4

/** Firmware's variables, and these behind them. */
export function withVariables(store: Buffer, variables: readonly Buffer[]): Buffer {
  const changed = Buffer.from(store)
  let at = endOfVariables(changed)
  for (const variable of variables) {
    variable.copy(changed, at)
    at = aligned(at + variable.length)
  }
  return changed
}

export function encodeVariable(name: string, vendor: Buffer, data: Buffer, runtime = true): Buffer {
  const title = Buffer.from(`${name}\0`, 'utf16le')
  const header = Buffer.alloc(VARIABLE_HEADER)
  header.writeUInt16LE(START, 0)
  header.writeUInt8(ADDED, 2)
  header.writeUInt32LE(NON_VOLATILE | BOOT_SERVICES | (runtime ? RUNTIME : 0), 4)
  header.writeUInt32LE(title.length, 36)
  header.writeUInt32LE(data.length, 40)
  vendor.copy(header, 44)
  return Buffer.concat([header, title, data])
}

/** URI alone (UEFI 2.10 §10.3.4.23): the short form, which firmware finds a card for. */
export function uriPath(uri: string): Buffer {
  return Buffer.concat([node(3, 24, Buffer.from(uri, 'ascii')), node(0x7f, 0xff, Buffer.alloc(0))])
}

function node(type: number, subtype: number, content: Buffer): Buffer {
  const head = Buffer.from([type, subtype, 0, 0])
  head.writeUInt16LE(4 + content.length, 2)
  return Buffer.concat([head, content])
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

const aligned = (at: number): number => (at + 3) & ~3
