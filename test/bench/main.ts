import { readdirSync } from 'node:fs'

/** `npm run bench -- NAME`: runs one benchmark; without a name it says which there are. */
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts' && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
const words = process.argv.slice(2)
// `bmc sweep` is bmc-sweep.ts.
const wanted = names.includes(words.join('-')) ? words.join('-') : words[0]

if (wanted === undefined) console.log(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(', ')}`)
else if (names.includes(wanted)) {
  const { bench } = (await import(`./${wanted}.ts`)) as { bench: () => Promise<void> }
  await bench()
} else {
  console.error(`no benchmark ${wanted}; there are: ${names.join(', ')}`)
  process.exitCode = 2
}
