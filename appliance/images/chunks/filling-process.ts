import { randomBytes } from 'node:crypto'
import { sha256Of } from '../../../contract/images/manifest.ts'
import { openObjectStore } from './object-store.ts'

/** For the test that kills it: puts new objects into the store of this folder until then. */
const store = openObjectStore({
  dir: process.argv[2]!,
  quota: async () => 64 * 1024 * 1024,
  check: async () => true,
  now: Date.now,
})
const fill = async (): Promise<never> => {
  for (;;) {
    const bytes = randomBytes(200_000 + Math.floor(Math.random() * 800_000))
    await store.put(`text-${sha256Of(bytes)}`, bytes)
  }
}
await Promise.all(Array.from({ length: 8 }, fill))
