import type { Command } from 'commander'
import { connect, type Connection } from './connection.ts'

/** What every command works with. */
export interface Context extends Connection {
  json: boolean
  /** Prints `value` as JSON where that was asked for, else `text`. */
  print(value: unknown, text: string): void
}

export function contextOf(command: Command): Context {
  const { json, endpoint, ca } = command.optsWithGlobals<{ json?: boolean; endpoint?: string; ca?: string }>()
  const asJson = json === true
  const flags = { ...(endpoint !== undefined && { endpoint }), ...(ca !== undefined && { ca }) }
  return {
    ...connect(flags, process.env),
    json: asJson,
    print: (value, text) => process.stdout.write(`${asJson ? JSON.stringify(value, null, 2) : text}\n`),
  }
}

/** A command with its examples in its help. `run` gets the positional arguments and its own options, whose
 * types it states: they are those of the flags beside it. */
export function define(
  command: Command,
  examples: string[],
  run: (context: Context, positional: string[], options: never) => Promise<void>,
): Command {
  return command
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
    .action(async () => run(contextOf(command), command.args, command.opts<Record<string, never>>() as never))
}
