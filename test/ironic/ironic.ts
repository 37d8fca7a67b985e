import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@bloomery/wire/free-port.ts'
import { installOnDemand } from '../setup/on-demand.ts'
import { ironicConf } from './configuration.ts'
import { type Database, startDatabase } from './database.ts'
import { type Program, startProgram } from './program.ts'

const run = promisify(execFile)
/** Beyond those that the tests have. */
const PACKAGES = ['mariadb-server', 'uwsgi-plugin-python3']
const SCHEMA_MS = 120_000

/** How it is run: all in one process; an API of several workers beside a conductor; the same under uWSGI. */
export const setUps = ['one process', 'workers', 'uwsgi'] as const
export type SetUp = (typeof setUps)[number]

export interface Ironic {
  endpoint: string
  sql: Database['sql']
  /** Process groups: its own, and the database's. */
  groups: readonly number[]
  stop(): Promise<void>
}

/** Debian's real Ironic over MariaDB, with fake hardware and without passwords, in a directory of its own that ends with it. */
export async function startIronic(dir: string, setUp: SetUp = 'one process', apiWorkers = 2): Promise<Ironic> {
  installOnDemand(PACKAGES)
  for (const name of ['state', 'lock', 'policy.d']) mkdirSync(join(dir, name), { recursive: true })
  const [apiPort, rpcPort] = [await freePort(), await freePort()]
  const endpoint = `http://127.0.0.1:${apiPort}`
  const programs: Program[] = []
  const stop = async (): Promise<void> => {
    for (const program of programs.toReversed()) await program.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const database = await startDatabase(dir)
    programs.push(database)
    await database.sql('CREATE DATABASE ironic CHARACTER SET utf8')
    const conf = join(dir, 'ironic.conf')
    writeFileSync(conf, ironicConf({ dir, socket: database.socket, apiPort, rpcPort, apiWorkers }))
    await run('ironic-dbsync', ['--config-file', conf, 'create_schema'], { timeout: SCHEMA_MS })
    for (const command of commandsOf(setUp, conf, apiPort, apiWorkers))
      programs.push(
        await startProgram(command.line, join(dir, `${command.name}.log`), () =>
          isUp(command.name, endpoint, database),
        ),
      )
    return { endpoint, sql: database.sql, groups: programs.map(({ pid }) => pid), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Command {
  name: 'ironic' | 'ironic-api' | 'ironic-conductor'
  line: [string, ...string[]]
}

/** The conductor comes first: an API process keeps what it once saw of conductors for 15 s (`hash_ring_reset_interval`). */
function commandsOf(setUp: SetUp, conf: string, port: number, workers: number): Command[] {
  const config = ['--config-file', conf]
  if (setUp === 'one process') return [{ name: 'ironic', line: ['ironic', ...config] }]
  const api: Record<Exclude<SetUp, 'one process'>, [string, ...string[]]> = {
    workers: ['ironic-api', ...config],
    uwsgi: ['uwsgi', ...uwsgiFlags(port, workers), '--pyargv', config.join(' ')],
  }
  return [
    { name: 'ironic-conductor', line: ['ironic-conductor', ...config] },
    { name: 'ironic-api', line: api[setUp] },
  ]
}

/** As Debian's ironic-api-uwsgi.ini has them, but for the socket, the number of processes and the log of requests. */
function uwsgiFlags(port: number, processes: number): string[] {
  const flags = [
    '--plugins',
    'python3',
    '--wsgi-file',
    '/usr/bin/ironic-api-wsgi',
    '--http-socket',
    `127.0.0.1:${port}`,
  ]
  const switches = ['--master', '--thunder-lock', '--lazy-apps', '--enable-threads', '--die-on-term', '--no-orphans']
  return [
    ...flags,
    ...switches,
    '--disable-logging',
    '--buffer-size',
    '65535',
    '--add-header',
    'Connection: close',
    '--processes',
    String(processes),
  ]
}

async function isUp(name: Command['name'], endpoint: string, { sql }: Database): Promise<boolean> {
  if (name === 'ironic-api') return (await fetch(endpoint)).ok
  const drivers = Number(await sql('SELECT COUNT(*) FROM ironic.conductor_hardware_interfaces'))
  return drivers > 0 && (name === 'ironic-conductor' || (await fetch(endpoint)).ok)
}
