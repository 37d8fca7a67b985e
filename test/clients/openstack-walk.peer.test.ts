import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OpenStackShell } from './openstack-shell.ts'
import { rested } from './rested.ts'
import { farewell, file, instance, machine, others, resources, type Row } from './walk.ts'
import { openWayIn, strategies, type WayIn } from './way-in.ts'

/** OpenStack's own command line, unmodified, over each kind of authentication, against the whole cloud and an appliance that imagines
 * the hardware. */

describe.each(strategies)('the openstack client with %s', (strategy) => {
  let way: WayIn
  let client: OpenStackShell
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-walk-'))
  beforeAll(async () => {
    way = await openWayIn(strategy)
    client = new OpenStackShell(way.settings)
    writeFileSync(join(dir, 'create.json'), JSON.stringify(file))
  })
  afterAll(async () => {
    client?.[Symbol.dispose]()
    await way?.stop()
    rmSync(dir, { recursive: true })
  })

  it('has no command that is not walked', async () => {
    const commands = await client.commands()
    const rows = [...resources, ...machine, ...instance, ...others, ...farewell]
    const takes = (command: string): boolean =>
      rows.some((row) => `baremetal ${row.command} `.startsWith(`${command} `))
    expect(commands.length).toBeGreaterThan(80)
    expect(commands.filter((command) => !takes(command))).toEqual([])
  })

  it.each([
    ['keeps resources', resources],
    ['drives a machine', machine],
    ['puts instances on it and takes them off', instance],
    ['sees drivers and conductors, and creates from a file', others],
    ['deletes what it made', farewell],
  ])(
    '%s',
    async (_, rows) => {
      for (const row of rows) await step(row)
    },
    240_000,
  )

  const run = (...args: string[]) => client.run(['baremetal', ...args])

  async function step({ command, says, fails, state }: Row): Promise<void> {
    const { code, stdout, stderr } = await run(...(await words(command)))
    const said = `${command}: ${stdout}${stderr}`
    expect([code !== 0, said]).toEqual([fails !== undefined, said])
    if (says) expect(stdout.trim(), command).toMatch(says)
    if (fails) expect(stderr, command).toMatch(fails)
    const node = await rested(way.client, 'n')
    if (state) expect([command, node?.provision_state]).toEqual([command, state])
  }

  async function words(command: string): Promise<string[]> {
    const meanings: Record<string, () => Promise<string>> = {
      FILE: async () => join(dir, 'create.json'),
      ENTRY: async () => (await way.client.nodes.history('n'))[0]?.uuid ?? '',
      GROUP: async () => (await run('port', 'group', 'show', 'bond', '-f', 'value', '-c', 'uuid')).stdout,
    }
    return Promise.all(command.split(' ').map(async (word) => (await meanings[word]?.())?.trim() ?? word))
  }
})
