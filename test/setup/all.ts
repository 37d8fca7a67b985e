import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Part, parts } from './parts.ts'
import { fallenOf, type Told, withSecondTry } from './second-try.ts'
import { notesOf, sum, tallyOf } from './tally.ts'

const KEPT_OUTPUT = 64 * 1024

interface Ran extends Told {
  output: string
}

/** Runs a command to its end, its output streaming through, and counts. */
async function run(name: string, argv: readonly string[], deadlineSeconds: number): Promise<Ran> {
  console.log(`\n── ${name}: ${argv.join(' ')}`)
  const [program = '', ...args] = argv
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const late = setTimeout(() => {
    console.log(`── ${name}: not finished in ${deadlineSeconds} s, ended`)
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
  }, deadlineSeconds * 1000)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk)
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT)
  })
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return { ...tallyOf(output, code ?? 1), notes: notesOf(output), output }
}

/** A part, and then once more the few files of which something failed: alone, and from their beginning, for many tell one story. */
async function runPart({ name, argv, deadlineSeconds }: Part): Promise<Told> {
  const first = await run(name, argv, deadlineSeconds)
  const fallen = first.failed > 0 ? fallenOf(first.output, first) : []
  if (fallen.length === 0) return first
  const second = await run(`${name}, once more`, [...argv, ...fallen.map(({ file }) => file)], deadlineSeconds)
  return withSecondTry(first, fallen, second)
}

const wanted = process.argv.slice(2)
if (wanted.includes('--help')) {
  console.log(`usage: npm test -- [PART…]
Runs each part in turn, or those that are named, and counts: its last line is "N passed, N failed".

${parts.map(({ name, argv }) => `  ${name.padEnd(10)} ${argv.join(' ')}`).join('\n')}

Examples:
  npm test
  npm test -- lint types unit`)
  process.exit()
}
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name))
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${parts.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const results = []
for (const part of parts) {
  if (wanted.length > 0 && !wanted.includes(part.name)) continue
  const began = performance.now()
  const told = await runPart(part)
  results.push({ name: part.name, ...told, seconds: (performance.now() - began) / 1000 })
}
console.log('\n── where the time went')
for (const { name, passed, failed, seconds } of results) {
  console.log(`${name.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${passed} passed, ${failed} failed`)
}
for (const { notes } of results) for (const note of notes) console.log(note)
const { passed, failed } = sum(results)
if (failed > 0 || passed === 0) process.exitCode = 1
console.log(`${passed} passed, ${failed} failed`)
