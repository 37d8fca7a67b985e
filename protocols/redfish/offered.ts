import { NotOffered, RequestRefused } from './error.ts'

/** Undefined where the BMC says that it has none. */
export async function offered<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof NotOffered) return undefined
    if (error instanceof RequestRefused && [400, 403, 404, 405, 501].includes(error.status)) return undefined
    throw error
  }
}
