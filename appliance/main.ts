import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Command } from 'commander'
import { pino } from 'pino'
import { readConfig } from './config.ts'
import { enrol } from './enrol.ts'
import { sentence } from './hardware-error.ts'
import { realClock } from './real-clock.ts'
import { runAppliance } from './run.ts'

const CONFIG = '/etc/bloomery/appliance.json'
const STOP_MS = 15_000

const enrolExamples = `
The token comes from \`bloomery site enrol SITE\`; give it in BLOOMERY_TOKEN, so that it is in no process list.

Example:
  BLOOMERY_TOKEN=… bloomery appliance enrol --endpoint https://cloud.example:6385 --ca authorities.pem --name rack-7`

const runExamples = `
Runs until SIGTERM or SIGINT. What was in progress is in the ledger and goes on at the next start.

Example:
  bloomery appliance run --config ${CONFIG}`

interface EnrolFlags {
  endpoint: string
  name: string
  ca?: string
  config: string
}

/** `bloomery appliance enrol|run`. Errors are one sentence on standard error and exit code 1. */
export async function main(argv: string[]): Promise<void> {
  const program = new Command('bloomery appliance').description("the site's program")
  program
    .command('enrol')
    .description('join a site: makes this appliance its keys, and gets its certificate')
    .requiredOption('--endpoint <url>', "of the cloud's API")
    .option('--name <name>', 'what the appliance is called', hostname())
    .option('--ca <file>', "PEM of the authority that signs the API's certificate, where it isn't a public one")
    .option('--config <file>', "the appliance's configuration: says where its data are kept", CONFIG)
    .addHelpText('after', enrolExamples)
    .action(join_)
  program
    .command('run')
    .description('boot and deploy the machines of this site')
    .option('--config <file>', "the appliance's configuration", CONFIG)
    .addHelpText('after', runExamples)
    .action(({ config }: { config: string }) => run(config))
  await program.parseAsync(argv, { from: 'user' }).catch((error: unknown) => {
    process.stderr.write(`${sentence(error)}\n`)
    process.exitCode = 1
  })
}

async function join_({ endpoint, name, ca, config }: EnrolFlags): Promise<void> {
  const token = process.env['BLOOMERY_TOKEN']
  if (!token) throw new Error('BLOOMERY_TOKEN is not set: get a token with `bloomery site enrol SITE`')
  if (ca !== undefined) setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')])
  const path = join(readConfig(config).data_dir, 'identity.json')
  const { uuid, site } = await enrol({ endpoint, token, name, path, post })
  process.stdout.write(
    `Appliance ${name} (${uuid}) has joined site ${site}. Next: bloomery appliance run --config ${config}\n`,
  )
}

async function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(url, { method: 'POST', body, headers, signal }).catch((cause: unknown) => {
    throw new Error(`the cloud at ${url} can't be reached`, { cause })
  })
  return { status: reply.status, text: await reply.text() }
}

async function run(configPath: string): Promise<void> {
  const config = readConfig(configPath)
  const log = pino({ level: config.log_level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime })
  const appliance = await runAppliance(config, realClock, log)
  const signal = await new Promise<string>((resolve) => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, () => resolve(each))
  })
  log.info({ signal }, 'stopping')
  const late = setTimeout(() => {
    log.error({}, 'could not stop in time; the ledger has everything')
    process.exit(1)
  }, STOP_MS)
  await appliance.stop().catch((error: unknown) => log.error({ error: sentence(error) }, 'stopping failed'))
  clearTimeout(late)
}

if (import.meta.main) await main(process.argv.slice(2))
