import { afterAll, beforeAll, expect, test } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'

const [SITE, SWITCH] = ['s', 'w'].map((name) => `blm-mea-${process.pid}-${name}`) as [string, string]
let network: PeerNetwork
beforeAll(() => {
  network = peerNetwork([SITE, SWITCH])
  cable(network, { netns: SITE, name: 'prov0' }, { netns: SWITCH, name: 'p0' })
  cable(network, { netns: SITE, name: 'quiet0' }, { netns: SWITCH, name: 'q0' })
  network.ip(
    SWITCH,
    'link add br0 type bridge stp_state 1 forward_delay 700',
    'link set p0 master br0',
    'link set br0 up',
  )
  network.ip(SWITCH, 'address add 10.88.0.1/24 dev q0')
  network.ip(SITE, 'address add 10.88.0.2/24 dev quiet0')
})
afterAll(() => network?.stop())

/** What `measure.ts` finds in the site's namespace. */
async function measured(call: string): Promise<unknown> {
  const program = `
    const measure = await import(${JSON.stringify(new URL('measure.ts', import.meta.url).href)})
    console.log(JSON.stringify({ found: (await measure.${call}) ?? 'undefined' }))`
  const found: unknown[] = []
  network.run(SITE, [process.execPath, '--input-type=module', '-e', program], (line) => found.push(line['found']))
  await network.until('word of the measure', () => found.length > 0)
  return found[0]
}

test('a bridge that speaks spanning tree is heard, and a link without one is quiet', async () => {
  const patient = { timeout: 60_000 } // it listens for as long as two hellos take, and tcpdump may be slow to start
  await expect.poll(() => measured("bridgeOn('prov0')"), patient).toEqual({ forwardDelay: 7 })
  expect(await measured("bridgeOn('quiet0')")).toBe('none')
})

test('a gateway that is there answers, and one that is not does not', async () => {
  expect(await measured("answersPing('10.88.0.1')")).toBe(true)
  expect(await measured("answersPing('10.88.0.77')")).toBe(false)
})

test('a way that takes short packets only is told from one that takes whole frames', async () => {
  expect(await measured("takesWholeFrames('10.88.0.1')")).toBe(true)
  network.ip(SWITCH, 'link set q0 mtu 1400')
  expect(await measured("takesWholeFrames('10.88.0.1')")).toBe(false)
  network.ip(SWITCH, 'link set q0 mtu 1500')
})

test('a name server that is not there is told from one that answers', async () => {
  expect(await measured("resolverProblem('10.88.0.1')")).toBe('ECONNREFUSED')
  network.run(SWITCH, [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--user=root',
    '--no-resolv',
    '--bind-interfaces',
    '--listen-address=10.88.0.1',
  ])
  await network.listens(SWITCH, 'udp', 53)
  await expect.poll(() => measured("resolverProblem('10.88.0.1')"), { timeout: 60_000 }).toBe('undefined')
})

test("a virtual card's offload is read", async () => {
  expect(await measured("offloadFeatures('prov0')")).toMatch(/^tx-checksumming: o/m)
  expect(await measured("isVirtual('prov0')")).toBe(true)
})
