import { Command, CommanderError } from 'commander'
import { serveCommand } from '../standalone/main.ts'
import { applianceCommand } from './appliance.ts'
import { consoleCommand } from './console.ts'
import { deployCommand, undeployCommand } from './deploy.ts'
import { explain } from './failure.ts'
import { imageCommand } from './image.ts'
import { nodeCommand } from './node.ts'
import { printable } from './output.ts'
import { portCommand } from './port.ts'
import { serverCommand } from './server.ts'
import { siteCommand } from './site.ts'
import { exitCodes } from './usage.ts'
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
Settings may also stand in ~/.config/bloomery/config.json: endpoint, ca, username, password, project.
A password is taken from there or from BLOOMERY_USERNAME and BLOOMERY_PASSWORD; a project, for those who are no
administrators of the whole, from BLOOMERY_PROJECT.

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
