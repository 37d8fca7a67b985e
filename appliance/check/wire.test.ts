import { expect, test } from 'vitest'
import { bridgeSaid } from './measure.ts'
import { checkDevice, checkOffload, checkPath, checkRelay, checkResolver, checkSpanningTree } from './wire.ts'

const features = (lro: string, tx: string): string =>
  `Features for prov0:\nrx-checksumming: on\ntx-checksumming: ${tx}\n\ttx-checksum-ipv4: off [fixed]\nlarge-receive-offload: ${lro}\n`

const tree = { forwardDelay: 15 }

test.each([
  ['a relay that answers', checkRelay('10.2.0.0/24', '10.2.0.1', true), 'ok', undefined],
  ['a relay that is silent', checkRelay('10.2.0.0/24', '10.2.0.1', false), 'failed', 'ip route get 10.2.0.1'],
  ['a relay that is not known', checkRelay('10.2.0.0/24', undefined, undefined), 'warning', 'set its gateway'],
  ['no ping', checkRelay('10.2.0.0/24', '10.2.0.1', undefined), 'warning', 'iputils-ping'],
  ['LRO', checkOffload('prov0', features('on', 'off'), false), 'warning', 'ethtool -K prov0 lro off'],
  ['LRO that is off for good', checkOffload('prov0', features('off [fixed]', 'on'), false), 'ok', undefined],
  ['checksums of a virtual card', checkOffload('prov0', features('off', 'on'), true), 'warning', 'tx off'],
  ['no ethtool', checkOffload('prov0', undefined, false), 'warning', 'package ethtool'],
  ['spanning tree', checkSpanningTree('prov0', tree, undefined), 'warning', 'edge ports (portfast)'],
  ['spanning tree that is in nobody’s way', checkSpanningTree('prov0', tree, 0), 'ok', undefined],
  ['machines that were heard late', checkSpanningTree('prov0', tree, 3), 'failed', 'edge ports (portfast)'],
  ['the same where no tree is heard', checkSpanningTree('prov0', 'none', 1), 'failed', 'edge ports (portfast)'],
  ['a quiet switch', checkSpanningTree('prov0', 'none', 0), 'ok', undefined],
  ['deaf ears', checkSpanningTree('prov0', undefined, undefined), 'warning', 'package tcpdump'],
  ['whole frames', checkPath('10.2.0.0/24', '10.2.0.1', true), 'ok', undefined],
  ['a narrow way', checkPath('10.2.0.0/24', '10.2.0.1', false), 'failed', 'tracepath 10.2.0.1'],
  ['a resolver', checkResolver('10.1.0.53', undefined), 'ok', undefined],
  ['a silent resolver', checkResolver('10.1.0.53', 'ETIMEOUT'), 'failed', 'correct dns of the subnet'],
  ['a VLAN that is not there', checkDevice('eth1.20', false), 'failed', 'type vlan'],
])('%s', (_, finding, verdict, remedy) => {
  expect(finding.verdict).toBe(verdict)
  if (remedy === undefined) expect(finding.remedy).toBeUndefined()
  else expect(finding.remedy).toContain(remedy)
})

test.each([
  [
    '\tSTP 802.1d, Config, Flags [none], message-age 0.00s, max-age 20.00s, hello-time 2.00s, forwarding-delay 4.00s\n',
    { forwardDelay: 4 },
  ],
  ['STP 802.1w, Rapid STP, Flags [Learn, Forward, Agreement]\n', { forwardDelay: 15 }],
  ['\n', 'none'],
])('what tcpdump prints of a bridge is read: %j', (printed, bridge) => {
  expect(bridgeSaid(printed)).toEqual(bridge)
})

test('how long a link is deaf is said', () => {
  expect(checkSpanningTree('prov0', { forwardDelay: 4 }, undefined).said).toContain('deaf for 8 s')
})
