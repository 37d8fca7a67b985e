import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Program, startProgram } from './program.ts'

const run = promisify(execFile)
const SQL_MS = 300_000

export interface Database extends Program {
  socket: string
  /** Runs statements; their rows, tabs between columns. */
  sql(statements: string): Promise<string>
}

/** A MariaDB of its own: no port, only a socket in this directory; its settings are Debian's defaults, durable. */
export async function startDatabase(dir: string): Promise<Database> {
  const data = join(dir, 'mariadb')
  const socket = join(dir, 'mariadb.sock')
  const own = ['--no-defaults', '--user=root', `--datadir=${data}`]
  execFileSync('mariadb-install-db', [...own, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'pipe',
  })
  const sql = async (statements: string): Promise<string> => {
    const args = ['--no-defaults', `--socket=${socket}`, '--user=root', '--batch', '--skip-column-names']
    const { stdout } = await run('mariadb', [...args, '--execute', statements], { timeout: SQL_MS })
    return stdout
  }
  const program = await startProgram(
    ['mariadbd', ...own, `--socket=${socket}`, '--skip-networking'],
    join(dir, 'mariadb.log'),
    async () => (await sql('SELECT 1')) !== '',
  )
  return { ...program, socket, sql }
}
