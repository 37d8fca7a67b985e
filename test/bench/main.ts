import { readdirSync } from 'node:fs'

/** `npm run bench -- NAME`: runs one benchmark; without a name, or with --help, it says which there are or what NAME takes. */
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts' && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
const help = process.argv.includes('--help')
const words = process.argv.slice(2).filter((word) => word !== '--help')
// `bmc sweep` is bmc-sweep.ts.
const wanted = names.includes(words.join('-')) ? words.join('-') : words[0]

if (wanted === undefined)
  console.log(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(', ')} (docs/benchmarks.md)`)
else if (names.includes(wanted)) {
  const { bench, parts } = (await import(`./${wanted}.ts`)) as { bench: () => Promise<void>; parts?: readonly string[] }
  if (help) console.log(`usage: npm run bench -- ${wanted}${parts === undefined ? '' : ` [${parts.join('|')}]…`}`)
  else await bench()
} else {
  console.error(`no benchmark ${wanted}; there are: ${names.join(', ')}`)
  process.exitCode = 2
}
