import { expect, test } from 'vitest'
import { checkDevice, checkOffload, checkRelay, checkResolver, checkSpanningTree } from './wire.ts'

const features = (lro: string, tx: string): string =>
  `Features for prov0:\nrx-checksumming: on\ntx-checksumming: ${tx}\n\ttx-checksum-ipv4: off [fixed]\nlarge-receive-offload: ${lro}\n`

test.each([
  ['a relay that answers', checkRelay('10.2.0.0/24', '10.2.0.1', true), 'ok', undefined],
  ['a relay that is silent', checkRelay('10.2.0.0/24', '10.2.0.1', false), 'failed', 'ip route get 10.2.0.1'],
  ['a relay that is not known', checkRelay('10.2.0.0/24', undefined, undefined), 'warning', 'set its gateway'],
  ['no ping', checkRelay('10.2.0.0/24', '10.2.0.1', undefined), 'warning', 'iputils-ping'],
  ['LRO', checkOffload('prov0', features('on', 'off'), false), 'warning', 'ethtool -K prov0 lro off'],
  ['LRO that is off for good', checkOffload('prov0', features('off [fixed]', 'on'), false), 'ok', undefined],
  ['checksums of a virtual card', checkOffload('prov0', features('off', 'on'), true), 'warning', 'tx off'],
  ['no ethtool', checkOffload('prov0', undefined, false), 'warning', 'package ethtool'],
  ['spanning tree', checkSpanningTree('prov0', true), 'warning', 'edge ports (portfast)'],
  ['a quiet switch', checkSpanningTree('prov0', false), 'ok', undefined],
  ['deaf ears', checkSpanningTree('prov0', undefined), 'warning', 'package tcpdump'],
  ['a resolver', checkResolver('10.1.0.53', undefined), 'ok', undefined],
  ['a silent resolver', checkResolver('10.1.0.53', 'ETIMEOUT'), 'failed', 'correct dns of the subnet'],
  ['a VLAN that is not there', checkDevice('eth1.20', false), 'failed', 'type vlan'],
])('%s', (_, finding, verdict, remedy) => {
  expect(finding.verdict).toBe(verdict)
  if (remedy === undefined) expect(finding.remedy).toBeUndefined()
  else expect(finding.remedy).toContain(remedy)
})
