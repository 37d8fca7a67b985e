import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { deleteCommand, listCommand, renameCommand, showCommand } from './appliances.ts'
import { define } from './context.ts'
import { OutcomeError, UsageError } from './usage.ts'
import { whole } from './values.ts'

const DATA_DIR = '/var/lib/bloomery'
const CONFIG = '/etc/bloomery/appliance.json'
const ANSWER_LIMIT = 256 * 1024

/** The program on site. It is loaded only when it is asked for: the rest of the CLI works where it can't. */
export function applianceCommand(): Command {
  return new Command('appliance')
    .description('the program on site, and those that there are')
    .addCommand(enrol())
    .addCommand(check())
    .addCommand(capture())
    .addCommand(run())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(renameCommand())
    .addCommand(deleteCommand())
}

function enrol(): Command {
  const command = new Command('enrol')
    .description('join a site; the token is read from BLOOMERY_TOKEN')
    .requiredOption('--name <name>', 'of this appliance')
    .option('--data-dir <dir>', 'as in the appliance’s configuration', DATA_DIR)
    .option('--again', 'replace the identity that this appliance has')
  return define(
    command,
    [
      'BLOOMERY_TOKEN=… bloomery appliance enrol --endpoint https://cloud.example:6385 --ca authorities.pem --name rack-7',
    ],
    async ({ endpoint, print }, _, { name, dataDir, again }: { name: string; dataDir: string; again?: boolean }) => {
      const token = process.env['BLOOMERY_TOKEN']
      if (!token) throw new UsageError('BLOOMERY_TOKEN is not set: `bloomery site enrol SITE` makes one')
      const path = join(dataDir, 'identity.json')
      if (!again && (await exists(path)))
        throw new UsageError(`${path} exists: this appliance has joined a site; --again replaces its identity`)
      const { enrol: joinSite } = await import('../appliance/enrol.ts')
      const { uuid, site, broker } = await joinSite({
        endpoint,
        token,
        name,
        path,
        now: () => new Date(),
        post,
      })
      print(
        { uuid, site, broker, identity: path },
        `Appliance ${name} joined site ${site}. Next: bloomery appliance run`,
      )
    },
  )
}

function check(): Command {
  const command = new Command('check')
    .description(
      'look for what breaks boots: other DHCP servers, relays, spanning tree, addresses, MTU, offload, ports, clock, DNS, disk',
    )
    .option('--config <file>', 'the appliance’s configuration', CONFIG)
  return define(
    command,
    ['bloomery appliance check --endpoint https://cloud.example:6385', `bloomery appliance check --config ${CONFIG}`],
    async ({ endpoint, print }, _, { config }: { config: string }) => {
      const [{ checkAppliance }, { readConfig }] = await Promise.all([
        import('../appliance/check/check.ts'),
        import('../appliance/config.ts'),
      ])
      const findings = await checkAppliance(readConfig(config), endpoint)
      const lines = findings.map(({ check, verdict, said, remedy }) => {
        const line = `${verdict.padEnd(8)} ${check}: ${said}`
        return remedy === undefined ? line : `${line}\n         → ${remedy}`
      })
      print(findings, lines.join('\n'))
      const bad = findings.filter(({ verdict }) => verdict === 'failed').length
      if (bad > 0) throw new OutcomeError(`${bad} of ${findings.length} checks failed`)
    },
  )
}

interface CaptureOptions {
  config: string
  mac: string
  address?: string
  interface?: string
  seconds: number
  packets: number
  out: string
}

function capture(): Command {
  const command = new Command('capture')
    .description('what one machine sends and is sent on its way through a boot, as a pcap file')
    .requiredOption('--mac <address>', 'of the card that boots')
    .requiredOption('--out <file>', 'a new file, for Wireshark or tshark')
    .option('--address <ip>', 'of the machine, where a relay hides its card')
    .option('--interface <name>', 'where machines are heard (default: that of the configured subnets)')
    .option('--seconds <n>', 'at most', whole(3_600), 60)
    .option('--packets <n>', 'at most', whole(1_000_000), 10_000)
    .option('--config <file>', 'the appliance’s configuration', CONFIG)
  return define(
    command,
    ['bloomery appliance capture --mac 52:54:00:aa:00:01 --seconds 120 --out n1.pcap'],
    async ({ print }, _, options: CaptureOptions) => {
      const [{ capture: captured }, { captureInterface }, { readConfig }] = await Promise.all([
        import('../appliance/capture/capture.ts'),
        import('../appliance/capture/interface.ts'),
        import('../appliance/config.ts'),
      ])
      const name = captureInterface(readConfig(options.config).boot, options.interface)
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      const { mac, address, seconds, packets, out } = options
      const addresses = address === undefined ? [] : [address]
      const order = { interface: name, macs: [mac], addresses, seconds, packets, out }
      const result = await captured({ ...order, signal: stop.signal })
      print(result, `${result.packets} packets (${result.bytes} bytes) of ${name} in ${options.out}: ${result.ended}`)
    },
  )
}

function run(): Command {
  const command = new Command('run')
    .description('boot and deploy machines until SIGTERM or SIGINT')
    .option('--config <file>', 'the appliance’s configuration', CONFIG)
  return define(
    command,
    ['bloomery appliance run', `bloomery appliance run --config ${CONFIG}`],
    async (_, __, { config }: { config: string }) => {
      const { main } = await import('../appliance/main.ts')
      await main(config)
    },
  )
}

async function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal })
  const text = await reply.text()
  if (text.length > ANSWER_LIMIT) throw new Error(`${url} answered with more than ${ANSWER_LIMIT} characters`)
  return { status: reply.status, text }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
