import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { newImageKey, publicImageKey } from '../../contract/images/signature.ts'
import { UsageError } from '../usage.ts'

/** The key that images are signed with: of whoever pushes, on their machine alone. */
export function imageKeyPath(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'bloomery', 'image-key.pem')
}

/** As PEM; undefined where there is none. */
export async function readImageKey(path: string): Promise<string | undefined> {
  const pem = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new UsageError(`cannot read the image key ${path}`, { cause: error })
  })
  if (pem === undefined) return undefined
  try {
    publicImageKey(pem)
  } catch (cause) {
    throw new UsageError(`${path} holds no ed25519 private key in PEM`, { cause })
  }
  return pem
}

/** The public half, for configurations; a pair is made where there is none. */
export async function ensureImageKey(path: string): Promise<{ publicKey: string; made: boolean }> {
  const existing = await readImageKey(path)
  if (existing !== undefined) return { publicKey: publicImageKey(existing), made: false }
  const { privateKey, publicKey } = newImageKey()
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, privateKey, { mode: 0o600, flag: 'wx' })
  return { publicKey, made: true }
}
