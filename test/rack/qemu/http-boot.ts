import { encodeVariable, uriPath, withVariables } from './uefi-variables.ts'

/** EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c, as firmware keeps it. */
const GLOBAL = Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex')
const NUMBER = 0x1000
const ACTIVE = 1

/** Variables of a firmware that fetches this at its next start, by the option that a BMC's HttpBootUri would make (UEFI 2.10 §3.1.3, §24.7.3.1). */
export function httpBootVariables(blank: Buffer, uri: string): Buffer {
  const title = Buffer.from('HTTP boot by the BMC\0', 'utf16le')
  const path = uriPath(uri)
  const head = Buffer.alloc(6)
  head.writeUInt32LE(ACTIVE, 0)
  head.writeUInt16LE(path.length, 4)
  const next = Buffer.alloc(2)
  next.writeUInt16LE(NUMBER)
  return withVariables(blank, [
    encodeVariable(`Boot${NUMBER.toString(16)}`, GLOBAL, Buffer.concat([head, title, path])),
    encodeVariable('BootNext', GLOBAL, next),
  ])
}
