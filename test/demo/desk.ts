import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { API_PORT, type Lab } from '../lab/lab.ts'

/** What a person has in hand: paths from the project's folder, where the demo runs and where its lines are pasted. */
export interface Desk {
  /** The CLI, told where this cloud is. */
  bloomery: string
  /** OpenStack's own, with a clouds.yaml. */
  openstack: string
  publicKey: string
  clouds: string
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
  const { BLOOMERY_USERNAME: username, BLOOMERY_PASSWORD: password } = environment
  const endpoint = `https://${rack.cloud.address}:${API_PORT}`
  const inside = { ...environment, BLOOMERY_ENDPOINT: endpoint }
  const exports = Object.entries(inside).map(([name, value]) => `export ${name}='${value}'`)
  const bloomery = await keep('bloomery', [
    '#!/bin/sh',
    '# The CLI as a person beside the cloud has it.',
    ...exports,
    `exec ip netns exec ${rack.cloud.netns} '${join(project, 'bin/bloomery')}' "$@"`,
  ])
  await chmod(join(project, bloomery), 0o700)
  const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
  const auth = { auth_url: `${endpoint}/identity`, username, password, project_name: 'admin', ...domains }
  const system = { auth_url: auth.auth_url, username, password, user_domain_name: 'Default', system_scope: 'all' }
  const common = { cacert: environment.BLOOMERY_CA, region_name: 'RegionOne' }
  const kept = { clouds: { demo: { auth, ...common }, operator: { auth: system, ...common } } }
  // JSON is YAML.
  const clouds = await keep('clouds.yaml', [JSON.stringify(kept, null, 2)])
  const openstack = await keep('openstack', [
    '#!/bin/sh',
    '# OpenStack’s client as a person beside the cloud has it.',
    `export OS_CLIENT_CONFIG_FILE='${join(project, clouds)}' OS_CLOUD=demo`,
    `exec ip netns exec ${rack.cloud.netns} openstack "$@"`,
  ])
  await chmod(join(project, openstack), 0o700)
  return { bloomery, openstack, publicKey: shown(`${key}.pub`), clouds }
}

async function keep(name: string, lines: string[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  return shown(path)
}

/** As a person in the project's folder writes it. */
export const shown = (path: string): string => relative(project, path)
