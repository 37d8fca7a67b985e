import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startBloomery } from './bloomery.ts'
import { differences } from './differences.ts'
import { type Ask, exchange, settle } from './exchange.ts'
import { exceptions } from './exceptions.ts'
import { startIronic } from './ironic.ts'
import { requests } from './requests/all.ts'

const DIR = resolve(import.meta.dirname, `../../.cache/compare-${process.pid}`)
const EXAMPLES = 4

/** `npm run compare -- [words…]`: sends the script to Debian's Ironic and to ours and prints what differs; with words, only of requests
 * that have one of them (all are sent: each stands on those before it). */
async function compare(words: readonly string[]): Promise<number> {
  const [ironic, bloomery] = [await startIronic(join(DIR, 'ironic')), await startBloomery(join(DIR, 'bloomery'))]
  const found = new Map<string, string[]>()
  const explained = new Map<string, number>()
  let sent = 0
  let same = 0
  try {
    const known = new Set(
      JSON.stringify(requests).match(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g),
    )
    for (const step of requests) {
      if ('settled' in step) {
        await Promise.all([settle(bloomery.endpoint, step), settle(ironic.endpoint, step)])
        continue
      }
      const [ours, theirs] = await Promise.all([exchange(bloomery.endpoint, step), exchange(ironic.endpoint, step)])
      sent += 1
      const all = differences(ours, theirs, known)
      const label = labelOf(step)
      if (all.length === 0) same += 1
      for (const difference of all) {
        const why = exceptions.find(
          (each) => each.difference.test(difference) && (each.request?.test(label) ?? true),
        )?.why
        if (why !== undefined) explained.set(why, (explained.get(why) ?? 0) + 1)
        else if (words.length === 0 || words.some((word) => label.includes(word)))
          found.set(difference, [...(found.get(difference) ?? []), label])
      }
    }
  } finally {
    await bloomery.stop()
    await ironic.stop()
  }
  for (const [difference, labels] of found) {
    console.log(difference)
    for (const label of labels.slice(0, EXAMPLES)) console.log(`    ${label}`)
    if (labels.length > EXAMPLES) console.log(`    … and ${labels.length - EXAMPLES} more`)
  }
  for (const [why, count] of explained) console.log(`known, ${count} times: ${why}`)
  console.log(`${sent} requests, ${same} answered alike; ${found.size} differences without a reason`)
  return found.size
}

function labelOf({ method, path, minor, body, headers }: Ask): string {
  const version = minor === undefined ? (headers?.['x-openstack-ironic-api-version'] ?? '–') : `1.${minor}`
  const text = body === undefined ? '' : ` ${typeof body === 'string' ? body : JSON.stringify(body)}`
  return `${version} ${method} ${path}${text.slice(0, 160)}`
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('exit', () => rmSync(DIR, { recursive: true, force: true }))
const words = process.argv.slice(2)
if (words.includes('--help'))
  console.log(`usage: npm run compare -- [WORD…]
Sends the same requests to Debian's Ironic and to ours, and prints what differs; with words, of requests that have one of them.

Examples:
  npm run compare
  npm run compare -- /v1/ports`)
else process.exitCode = (await compare(words)) === 0 ? 0 : 1
