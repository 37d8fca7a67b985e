import { parentPort, workerData } from 'node:worker_threads'
import { openLeaseFile, type LeaseWrite } from './lease-file.ts'

/** The thread that waits for the disk, so that the one that answers machines needn't. Answers each batch with what went wrong, or ''. */
const { path } = workerData as { path: string }
const file = openLeaseFile(path)
parentPort?.on('message', (changes: LeaseWrite[] | 'close') => {
  if (changes === 'close') {
    file.close()
    parentPort?.close()
    return
  }
  try {
    file.write(changes)
    parentPort?.postMessage('')
  } catch (error) {
    parentPort?.postMessage(error instanceof Error ? error.message : String(error))
  }
})
