import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applianceConfig } from '../config.ts'
import { openMetrics } from '../metrics.ts'
import { startMetricsServer } from '../metrics-server.ts'
import { checkAppliance } from './check.ts'
import { checkClock, checkDisk, checkName, checkPort } from './host.ts'
import { lateStartsCounted } from './measure.ts'
import {
  checkAddresses,
  checkBroadcastRoute,
  checkForeignServers,
  checkMtu,
  provisioningInterfaces,
} from './network.ts'

let dir: string
let cloud: Server
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'check-'))
  cloud = createServer((_, reply) => reply.end())
  cloud.listen(0, '127.0.0.1')
  await once(cloud, 'listening')
})
afterEach(() => {
  cloud.close()
  rmSync(dir, { recursive: true })
})

const config = applianceConfig.parse({
  boot: {
    subnets: [
      { cidr: '10.1.0.0/24', interfaceAddress: '10.1.0.1', range: ['10.1.0.100', '10.1.0.199'] },
      { cidr: '10.2.0.0/24', interfaceAddress: '10.1.0.1', range: ['10.2.0.100', '10.2.0.199'] },
    ],
    nextServer: '10.1.0.1',
    files: {},
  },
})
const interfaces = {
  lo: [{ address: '127.0.0.1' }],
  prov0: [{ address: '10.1.0.1' }],
  wan0: [{ address: '192.0.2.9' }],
}

test('an address that machines are told and that is not here is named, with what to do', () => {
  expect(checkAddresses(config.boot, interfaces)).toMatchObject([{ verdict: 'ok' }])
  expect(checkAddresses(config.boot, {})).toMatchObject([
    {
      verdict: 'failed',
      said: '10.1.0.1 is on no interface',
      remedy: expect.stringContaining('ip address add') as string,
    },
  ])
})

test('the provisioning interface is the one with the address of an attached subnet', () => {
  expect(provisioningInterfaces(config.boot, interfaces)).toEqual(['prov0'])
})

const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n'
const route = (name: string, destination: string, mask: string): string =>
  `${name}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`

test.each([
  ['the route to everybody', route('prov0', 'FFFFFFFF', 'FFFFFFFF') + route('wan0', '00000000', '00000000'), 'ok'],
  ['only a default route elsewhere', route('wan0', '00000000', '00000000'), 'failed'],
  ['a default route there', route('prov0', '00000000', '00000000'), 'ok'],
  ['no route', '', 'failed'],
])('with %s broadcasts are judged', (_, rows, verdict) => {
  expect(checkBroadcastRoute(header + rows, ['prov0']).verdict).toBe(verdict)
})

test.each([
  [checkMtu('prov0', 1_500), 'ok'],
  [checkMtu('prov0', 1_400), 'failed'],
  [checkForeignServers([]), 'ok'],
  [checkForeignServers(['10.1.0.66']), 'warning'],
  [checkClock(new Date(60_000).toUTCString(), new Date(60_000), new Date(62_000)), 'ok'],
  [checkClock(new Date(60_000).toUTCString(), new Date(200_000), new Date(200_000)), 'failed'],
  [checkClock(null, new Date(), new Date()), 'warning'],
  [checkDisk('/d', 100 * 2 ** 30, 64), 'ok'],
  [checkDisk('/d', 10 * 2 ** 30, 64), 'warning'],
  [checkDisk('/d', 2 ** 30, 64), 'failed'],
  [checkPort('TFTP', undefined), 'ok'],
  [checkPort('TFTP', 'EADDRINUSE'), 'warning'],
  [checkPort('TFTP', 'EACCES'), 'failed'],
  [checkName('cloud', [], 'ENOTFOUND'), 'failed'],
])('%j is %s, and whatever is not ok says what to do', (finding, verdict) => {
  expect(finding.verdict).toBe(verdict)
  expect(finding.remedy === undefined).toBe(verdict === 'ok')
})

test('what the running appliance counted of machines that it heard late is read from its metrics, where it has them', async () => {
  const metrics = openMetrics()
  const { port, stop } = await startMetricsServer(metrics, 0)
  expect(await lateStartsCounted(port)).toBe(0)
  metrics.count('bloomery_dhcp_late_starts_total', {}, 3)
  expect(await lateStartsCounted(port)).toBe(3)
  await stop()
  expect(await lateStartsCounted(port)).toBeUndefined()
  expect(await lateStartsCounted(undefined)).toBeUndefined()
})

test('a whole check on this host says something of everything, and needs no more than the configuration', async () => {
  const { port } = cloud.address() as AddressInfo
  const boot = { ...config.boot, subnets: config.boot.subnets.slice(1) } // behind a relay: nothing is sent from here
  const findings = await checkAppliance({ ...config, boot, data_dir: join(dir, 'data') }, `http://127.0.0.1:${port}`)
  const checks = new Set(findings.map(({ check }) => check))
  const all = [
    'address',
    'broadcasts',
    'relay',
    'port',
    'other DHCP servers',
    'boot files',
    'disk',
    'DNS',
    'cloud',
    'clock',
  ]
  expect([...checks].sort()).toEqual(all.sort())
  expect(findings.find(({ check }) => check === 'clock')?.verdict).toBe('ok')
  expect(findings.find(({ check }) => check === 'address')?.verdict).toBe('failed')
})
