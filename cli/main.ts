import { Command, CommanderError } from 'commander'
import { ApiError } from '../contract/api/client.ts'
import { serveCommand } from '../standalone/main.ts'
import { applianceCommand } from './appliance.ts'
import { consoleCommand } from './console.ts'
import { deployCommand, undeployCommand } from './deploy.ts'
import { imageCommand } from './image.ts'
import { nodeCommand } from './node.ts'
import { printable } from './output.ts'
import { portCommand } from './port.ts'
import { serverCommand } from './server.ts'
import { siteCommand } from './site.ts'
import { exitCodes, UsageError } from './usage.ts'
import { volumeCommand } from './volume.ts'
import { webhookCommand } from './webhook.ts'
import { whyCommand } from './why.ts'

const program = new Command('bloomery')
  .description('turn racked servers into deployed machines')
  .option('--endpoint <url>', 'of the API (BLOOMERY_ENDPOINT; default: http://127.0.0.1:6385)')
  .option('--ca <file>', 'PEM of the authority that signed the API’s certificate (BLOOMERY_CA)')
  .option('--json', 'print results as JSON')
  .addHelpText(
    'after',
    `
Settings may also stand in ~/.config/bloomery/config.json: endpoint, ca, username, password.
A password is taken from there or from BLOOMERY_USERNAME and BLOOMERY_PASSWORD.

Exit codes: ${exitCodes.failed} the operation failed, ${exitCodes.usage} wrong usage, ${exitCodes.refused} the API refused, ${exitCodes.unreachable} the API can't be reached.`,
  )
for (const command of [
  serveCommand(),
  siteCommand(),
  nodeCommand(),
  portCommand(),
  imageCommand(),
  deployCommand(),
  undeployCommand(),
  serverCommand(),
  volumeCommand(),
  whyCommand(),
  consoleCommand(),
  webhookCommand(),
  applianceCommand(),
])
  program.addCommand(command)
everywhere(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = fail(error)
}

/** --endpoint, --ca and --json may stand behind the command too, where people write them. */
function everywhere(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bloomery: ')) })
  for (const each of command.commands) {
    if (each.commands.length === 0 && each.name() !== 'serve')
      for (const option of program.options)
        if (!each.options.some(({ long }) => long === option.long)) each.addOption(option)
    everywhere(each)
  }
}

function fail(error: unknown): number {
  // Commander has already said what was wrong, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  const [text, code] = explain(error)
  process.stderr.write(`bloomery: ${text.split('\n').map(printable).join('\n')}\n`)
  return code
}

function explain(error: unknown): [string, number] {
  if (error instanceof UsageError) return [error.message, exitCodes.usage]
  if (error instanceof ApiError && error.status === 401)
    return [`${error.message.replace(/\.$/, '')}: set BLOOMERY_USERNAME and BLOOMERY_PASSWORD`, exitCodes.refused]
  if (error instanceof ApiError) return [error.message, exitCodes.refused]
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } }
  if (error instanceof TypeError && message === 'fetch failed')
    return [
      `cannot reach the API (${cause?.code ?? cause?.message ?? 'no reason given'})${remedy(cause?.code)}`,
      exitCodes.unreachable,
    ]
  if (error instanceof Error && error.name === 'TimeoutError')
    return ['the API did not answer in time: is --endpoint right?', exitCodes.unreachable]
  return [cause?.message ? `${message} (${cause.message})` : (message ?? String(error)), exitCodes.failed]
}

function remedy(code: string | undefined): string {
  if (code === 'ECONNREFUSED') return ': is `bloomery serve` running there, and is --endpoint right?'
  if (code !== undefined && /CERT|SIGNATURE|ISSUER/.test(code))
    return ': say with --ca whose certificates are to be trusted'
  return ': is --endpoint right?'
}
