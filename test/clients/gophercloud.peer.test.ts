import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MachinesToHave, openMachines } from './machines.ts'
import { Teller } from './teller.ts'

/** gophercloud, as Terraform and Cluster API use it, asks for a server on a port of its own; its stories are in gophercloud/stories.go. */

const cached = (name: string): string => fileURLToPath(new URL(`../../.cache/clients/${name}`, import.meta.url))
const program = cached('gophercloud')

let machines: MachinesToHave
let client: Teller
beforeAll(async () => {
  const cwd = fileURLToPath(new URL('gophercloud/', import.meta.url))
  // Debian's Go libraries are found by path, as before there were modules.
  const found = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '-trimpath', GOCACHE: cached('go-build') }
  await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd, env: { PATH: '/usr/bin:/bin', ...found } })
  machines = await openMachines(2)
  client = new Teller(program, [], machines.settings)
}, 300_000)
afterAll(async () => {
  client?.[Symbol.dispose]()
  await machines?.stop()
})

it.each([
  'makes what a server needs',
  'makes a server on a port',
  'sees its actions tags and interfaces',
  'stops starts and reboots it',
  'is told why there is no resizing',
  'deletes it and keeps the port',
])(
  '%s',
  async (story) => {
    expect(await client.ask(story)).toBeNull()
  },
  240_000,
)
