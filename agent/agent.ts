import { randomUUID } from 'node:crypto'
import { createApp } from './api/app.ts'
import { createIdentity } from './api/certificate.ts'
import { CommandLedger } from './api/commands.ts'
import { listen } from './api/listen.ts'
import type { Clock } from './clock.ts'
import { createTable } from './extensions/table.ts'
import type { Trust } from './http.ts'
import { IronicClient } from './ironic/client.ts'
import { Heartbeats } from './ironic/heartbeats.ts'
import { tellFindings } from './ironic/inspection.ts'
import { lookUp } from './ironic/lookup.ts'
import type { Log } from './log.ts'
import type { Machine } from './machine/machine.ts'
import { inUrl } from './machine/network.ts'
import type { Settings } from './settings.ts'

/** Heartbeats carry it. It follows the scheme of ironic-python-agent, whose protocol of that version this speaks. */
export const agentVersion = '11.2.0'

export interface AgentMeans {
  settings: Settings
  trust: Trust
  clock: Clock
  log: Log
  machine: (lockDown: () => void) => Machine
  /** MACs of this server, the one that it booted from first. */
  addresses: () => Promise<string[]>
  /** Sets this server's clock, from what the site said that the time is or from better sources. */
  setClock: (date: number | undefined) => Promise<void>
  /** Our address on the way to a URL. */
  addressTowards: (url: string) => Promise<string>
}

/** Looks up, opens the API and sends heartbeats, until the signal is aborted or the site orders a lock-down. True if
 * it was a lock-down. */
export async function runAgent(means: AgentMeans, stop: AbortSignal): Promise<boolean> {
  const { settings, trust, clock, log, addresses } = means
  const client = new IronicClient(trust, settings.requestSeconds)
  const { apiUrls, token: own, lookupSeconds, lookupInterval } = settings
  let heartbeats: Heartbeats | undefined
  let locked = false
  const machine = means.machine(() => {
    locked = true
    heartbeats?.stop()
  })
  // Before the lookup: that of a machine that nobody enrolled succeeds only after this, if it does.
  const node =
    settings.inspectionUrl === undefined
      ? undefined
      : await tellFindings({ client, clock, log, machine, url: settings.inspectionUrl })
  const search = {
    client,
    clock,
    log,
    addresses,
    apiUrls,
    node,
    token: own,
    seconds: lookupSeconds,
    interval: lookupInterval,
  }
  const { api, reply, token } = await lookUp(search)
  log.info('looked up', { node: reply.node.uuid, api: api.base, version: api.version })

  await means.setClock(api.date)
  const address = settings.advertiseHost ?? (await ownAddress(means, api.base))
  const identity = api.takesCertificate ? await createIdentity(address, api.date ?? clock.now()) : undefined
  const ledger = new CommandLedger({
    table: createTable(machine, reply.node),
    newId: randomUUID,
    log,
    finished: () => heartbeats?.early(),
  })
  const app = createApp({ ledger, log, token, version: agentVersion, startedAt: clock.now() / 1000 })
  const minVersion = reply.config.tls_min_version === '1.3' ? ('TLSv1.3' as const) : ('TLSv1.2' as const)
  const where = { host: settings.listenHost, port: settings.listenPort, identity, minVersion }
  const listening = await listen(app, where)
  const callback_url = `${identity ? 'https' : 'http'}://${inUrl(address)}:${listening.port}`
  const beat = {
    callback_url,
    agent_token: token,
    agent_version: agentVersion,
    ...(identity && { agent_verify_ca: identity.certificate }),
  }
  heartbeats = new Heartbeats({
    clock,
    log,
    timeoutSeconds: reply.config.heartbeat_timeout,
    beat: () => client.heartbeat(api, reply.node.uuid, beat),
  })
  stop.addEventListener('abort', () => heartbeats?.stop(), { once: true })
  log.info('serving', { node: reply.node.uuid, url: callback_url })
  try {
    await heartbeats.run()
    // The reply to the lock-down is still on its way.
    if (locked) await clock.sleep(2000)
  } finally {
    await listening.close()
  }
  return locked
}

async function ownAddress({ settings, clock, addressTowards }: AgentMeans, url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await addressTowards(url)
    } catch (cause) {
      if (attempt >= settings.addressAttempts) throw new Error(`no address of ours leads to ${url}`, { cause })
      await clock.sleep(settings.addressInterval * 1000)
    }
  }
}
