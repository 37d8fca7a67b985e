import { afterAll, beforeAll, expect, it } from 'vitest'
import { type MachinesToHave, openMachines } from './machines.ts'
import { python, type Teller } from './teller.ts'

/** openstacksdk, unmodified, asks for a server, waits for it, and gives it back; its stories are in openstacksdk-servers.py. */

let machines: MachinesToHave
let client: Teller
beforeAll(async () => {
  machines = await openMachines(2)
  client = python('openstacksdk-servers.py', machines.settings)
}, 180_000)
afterAll(async () => {
  client?.[Symbol.dispose]()
  await machines?.stop()
})

it.each([
  'makes what a server needs',
  'makes a server and waits for it',
  'finds it and changes it',
  'switches it and writes it anew',
  'deletes it',
])(
  '%s',
  async (story) => {
    expect(await client.ask(story)).toBeNull()
  },
  240_000,
)
