import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { readIdentity } from '../../appliance/identity.ts'
import { openLedger } from '../../appliance/ledger/ledger.ts'
import { openOutbox } from '../../appliance/ledger/outbox.ts'
import { openUrls } from '../../appliance/ledger/urls.ts'
import { realClock } from '../../appliance/real-clock.ts'
import { memoryLog } from '../../appliance/testing/memory-log.ts'
import { openCredentials } from '../../appliance/uplink/credentials.ts'
import { connectMqtt } from '../../appliance/uplink/mqtt.ts'
import { startUplink } from '../../appliance/uplink/uplink.ts'
import { writeIdentity } from '../../appliance/identity-file.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { topics } from '../../contract/topics.ts'
import type { Platform } from '../../lambdas/platform.ts'
import { onUplink } from '../../lambdas/reports/on-uplink.ts'
import { applianceItem, getAppliance } from '../../lambdas/store/appliances.ts'
import { newRequest } from './certificate-request.ts'
import { underTest, type Make } from './under-test.ts'

const patience = { timeout: 100_000, interval: 50 }
const HOUR_MS = 3_600_000

/** The appliance's own connection and the cloud's own functions, over this edition's broker. */
export function renewalContract(name: string, make: Make): void {
  describe(`${name}: renewal of certificates`, () => {
    const made = underTest(make)

    /** A broker of a test is not signed by whom the public one is. */
    function platform(): Platform {
      const { platform: own, brokerAuthority: authorities } = made()
      const issue: Platform['identity']['issue'] = async (...asked) => ({
        ...(await own.identity.issue(...asked)),
        authorities,
      })
      const { identity } = own
      const revoke = (appliance: string) => identity.revoke(appliance)
      const retire = (appliance: string, keep: string) => identity.retire(appliance, keep)
      return { ...own, identity: { issue, revoke, retire }, log: { info() {}, warn() {}, error() {} } }
    }

    /** An appliance from before certificates were renewed. */
    async function enrolled(uuid: string, path: string) {
      const { csr, privateKey } = await newRequest()
      const { certificate, authorities, broker, certificate_sha256 } = await platform().identity.issue(uuid, csr, 3650)
      const created_at = new Date().toISOString()
      const { publicKey: sealing_key, privateKey: sealingKey } = newSealingKey()
      const told = { uuid, name: uuid, site: 'test' }
      const state = { sealing_key, certificate_sha256, software: null, created_at, last_seen: null, version: 1 }
      await made().platform.table.write([{ put: applianceItem({ ...told, ...state }) }])
      writeIdentity(path, { ...told, certificate, privateKey, authorities, broker, sealingKey })
      return readIdentity(path)
    }

    it(
      'the appliance comes back by its new certificate, and by the former nobody does',
      { timeout: 150_000 },
      async () => {
        const uuid = randomUUID()
        const dir = await mkdtemp(join(tmpdir(), 'bloomery-renewal-'))
        const path = join(dir, 'identity.json')
        const former = await enrolled(uuid, path)
        const stop = await made().uplinks(async (from, body) => {
          if (from === uuid) await onUplink(platform(), from, body)
        })
        const log = memoryLog()
        let ahead = 0
        const clock = { now: () => new Date(Date.now() + ahead) }
        const credentials = openCredentials({ path, identity: former, clock, log })
        ahead = HOUR_MS
        const ledger = openLedger(':memory:')
        const uplink = startUplink({
          link: connectMqtt(former, credentials, () => 0, log),
          certificate: credentials,
          ledger,
          outbox: openOutbox(ledger, clock.now, randomUUID),
          urls: openUrls(ledger),
          clock: realClock,
          random: () => 0.5,
          software: 'test',
          log,
          onCommand: () => {},
          onConsole: () => {},
          onPlace: () => {},
          onPrefetch: () => {},
        })
        const known = async () => (await getAppliance(made().platform.table, uuid))?.certificate_sha256
        const first = await known()
        try {
          await expect.poll(known, patience).not.toBe(first)
          expect((await credentials.told()).sha256).toBe(await known())
        } finally {
          await uplink.stop()
          await stop()
          ledger.close()
        }
        const renewed = readIdentity(path)
        expect(renewed.certificate).not.toBe(former.certificate)
        expect(renewed).not.toHaveProperty('next')

        const listen = async ({ certificate, privateKey, broker }: typeof former): Promise<void> => {
          const client = await connectAsync(
            broker,
            { clientId: uuid, key: privateKey, cert: certificate, ca: former.authorities, reconnectPeriod: 0 },
            false,
          )
          try {
            await client.subscribeAsync(topics.down(uuid), { qos: 1 })
          } finally {
            await client.endAsync(true)
          }
        }
        await expect(listen(former)).rejects.toThrow()
        await listen(renewed)
        await made().platform.identity.revoke(uuid)
        await expect(listen(renewed)).rejects.toThrow()
        await rm(dir, { recursive: true })
      },
    )
  })
}
