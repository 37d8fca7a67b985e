import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { configure, fromEnvironment, settings, type Config } from './config.ts'

/** `bloomery serve`, for the CLI; what it runs is loaded only when it does. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run the whole cloud in this process: API, conductor, table, blobs and MQTT broker')
    .option('--config <file>', 'JSON file of these settings, by the names of their flags')
    .option('--json', 'say where it listens as one line of JSON')
  for (const [name, schema] of Object.entries(settings.shape)) {
    const flag = /^insecure-|^webhook-http$/.test(name) ? `--${name}` : `--${name} <${name}>`
    command.option(flag, schema.unwrap().meta()?.description)
  }
  command.addHelpText('after', examples)
  return command.action(async () => {
    const { config: file, json: _json, ...given } = command.opts<Record<string, unknown>>()
    const { json } = command.optsWithGlobals<{ json?: boolean }>()
    const flags = Object.entries(given).map(([name, value]): [string, unknown] => [
      name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value === true ? 'true' : value,
    ])
    const stored = typeof file === 'string' ? await readSettings(file) : {}
    const config = configured(command, [stored, fromEnvironment(process.env), Object.fromEntries(flags)])
    const { serve } = await import('./serve.ts')
    await serve(config, json === true)
  })
}

function configured(command: Command, sources: Array<Record<string, unknown>>): Config {
  try {
    return configure(...sources)
  } catch (error) {
    return command.error(`error: ${(error as Error).message}`)
  }
}

const examples = `
Every setting can also come from the environment: --data-dir as BLOOMERY_DATA_DIR.

Examples:
  bloomery serve                                  for this machine only, data in ./bloomery-data
  bloomery serve --data-dir /var/lib/bloomery --host 0.0.0.0 --public-url https://cloud.example:6385 \\
      --auth http_basic --htpasswd /etc/bloomery/users`

async function readSettings(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    throw new Error(`--config ${path}: not a readable JSON file`, { cause })
  }
}
