import { access, constants, mkdir } from 'node:fs/promises'

/** Makes the folder where everything is kept, for its owner only. */
export async function makeDataDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Error(`cannot write in ${dir}: correct its rights, or choose another --data-dir`, { cause })
  }
}
