import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Teller } from './teller.ts'
import { openWayIn, strategies, type WayIn } from './way-in.ts'

/** Metal3's baremetal-operator, by the library that it uses; its stories are in metal3/stories.go. */

const cached = (name: string): string => fileURLToPath(new URL(`../../.cache/clients/${name}`, import.meta.url))
const program = cached('metal3')
const BUILD_MS = 300_000

beforeAll(async () => {
  const cwd = fileURLToPath(new URL('metal3/', import.meta.url))
  // Debian's Go libraries are found by path, as before there were modules.
  const found = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '-trimpath', GOCACHE: cached('go-build') }
  await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd, env: { PATH: '/usr/bin:/bin', ...found } })
}, BUILD_MS)

describe.each(strategies)('Metal3 with %s', (strategy) => {
  let way: WayIn
  let operator: Teller
  beforeAll(async () => {
    way = await openWayIn(strategy)
    operator = new Teller(program, [], way.settings)
  })
  afterAll(async () => {
    operator?.[Symbol.dispose]()
    await way?.stop()
  })

  it.each([
    'finds drivers and the newest version',
    'registers a host',
    'verifies and inspects it',
    'prepares it by manual cleaning',
    'provisions it',
    'services it',
    'switches its power',
    'deprovisions it',
    'gives up a deploy',
    'adopts it anew',
    'detaches and deletes it',
  ])(
    '%s',
    async (story) => {
      expect(await operator.ask(story)).toBeNull()
    },
    120_000,
  )
})
