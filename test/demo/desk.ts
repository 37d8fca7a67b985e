import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { API_PORT, type Lab } from '../lab/lab.ts'

/** What a person has in hand: paths from the project's folder, where the demo runs and where its lines are pasted. */
export interface Desk {
  /** The CLI, told where this cloud is. */
  bloomery: string
  publicKey: string
  sshConfig: string
  netrc: string
  clouds: string
  authorities: string
}

export const project = join(import.meta.dirname, '../..')
export const folder = join(project, '.cache/demo')
const owner = join(project, '.cache/demo.pid')

/** Takes the demo's folder, empty, for this process. Of two demos at once the second is refused. */
export async function takeFolder(): Promise<void> {
  const pid = await readFile(owner, 'utf8').catch(() => '')
  const argv = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : ''
  if (argv.includes('test/demo/main.ts') && pid !== String(process.pid))
    throw new Error(`a demo runs already, as process ${pid}: stop it first (kill ${pid})`)
  await mkdir(join(project, '.cache'), { recursive: true })
  await writeFile(owner, String(process.pid))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
}

export async function leaveFolder(): Promise<void> {
  await rm(owner, { force: true })
}

/** A key pair, and files by which each client finds the cloud: no password stands on a command line. */
export async function furnish({ rack, environment }: Lab): Promise<Desk> {
  const key = join(folder, 'id_ed25519')
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bloomery-demo', '-f', key])
  const { BLOOMERY_USERNAME: username, BLOOMERY_PASSWORD: password, BLOOMERY_ENDPOINT: endpoint } = environment
  const inside = { ...environment, BLOOMERY_ENDPOINT: `https://${rack.cloud.address}:${API_PORT}` }
  const exports = Object.entries(inside).map(([name, value]) => `export ${name}='${value}'`)
  const bloomery = await keep('bloomery', [
    '#!/bin/sh',
    '# The CLI as a person beside the cloud has it.',
    ...exports,
    `exec ip netns exec ${rack.cloud.netns} '${join(project, 'bin/bloomery')}' "$@"`,
  ])
  await chmod(join(project, bloomery), 0o700)
  const auth = { endpoint, username, password }
  const cloud = { auth_type: 'http_basic', auth, cacert: environment.BLOOMERY_CA }
  return {
    bloomery,
    publicKey: shown(`${key}.pub`),
    sshConfig: shown(join(folder, 'ssh_config')),
    netrc: await keep('netrc', [`machine 127.0.0.1 login ${username} password ${password}`]),
    // JSON is YAML.
    clouds: await keep('clouds.yaml', [JSON.stringify({ clouds: { demo: cloud } }, null, 2)]),
    authorities: shown(environment.BLOOMERY_CA),
  }
}

async function keep(name: string, lines: string[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  return shown(path)
}

/** As a person in the project's folder writes it. */
export const shown = (path: string): string => relative(project, path)
