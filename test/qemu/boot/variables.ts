import { readFile } from 'node:fs/promises'
import { encodeVariable, withVariables } from '../../rack/qemu/uefi-variables.ts'

/** SHIM_LOCK_GUID, 605dab50-e046-4300-abb6-3dd810dd8b23, as firmware keeps it. */
const SHIM_LOCK = Buffer.from('50ab5d6046e00043abb63dd810dd8b23', 'hex')

/** Firmware's variables as Debian ships them, and one more: what shim is to take for revoked (its SBAT.md). */
export async function variableStore(path: string, sbatLevel: string | undefined): Promise<Buffer> {
  const store = await readFile(path)
  if (sbatLevel === undefined) return store
  return withVariables(store, [encodeVariable('SbatLevel', SHIM_LOCK, Buffer.from(sbatLevel), false)])
}
