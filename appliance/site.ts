import type { Hono } from 'hono'
import type { RequestListener } from 'node:http'
import { stepName, type Machine, type Plan } from '../contract/plan.ts'
import { open as openSealed } from '../contract/seal.ts'
import { openDeployLogs } from './agents/deploy-logs.ts'
import { openDiscoveries } from './agents/discovered.ts'
import { startLogUploads } from './agents/log-uploads.ts'
import { agentDoor } from './agents/door.ts'
import { postedInventories } from './agents/posted.ts'
import { siteAgents } from './agents/site-agents.ts'
import type { BootEvents } from './boot/machine.ts'
import { openCaptures } from './capture/captures.ts'
import { openConsoles } from './consoles/consoles.ts'
import { findConsole } from './consoles/find-console.ts'
import { openHostKeys } from './consoles/host-keys.ts'
import { openRecordings } from './consoles/recording.ts'
import type { Bmc } from './drivers/bmc.ts'
import { openStrangers } from './boot/strangers.ts'
import { openDelays } from './drivers/delays.ts'
import { openRescuePassword, openSecrets, stepSecrets } from './drivers/secrets.ts'
import type { Drivers } from './drivers/table.ts'
import { HardwareError } from './hardware-error.ts'
import { startHealth } from './health/collector.ts'
import { openSiteImages } from './images/site-images.ts'
import { openAgentRows } from './ledger/agents.ts'
import { openImagined } from './ledger/imagined.ts'
import { openJournal } from './ledger/journal.ts'
import { openMachines, type Machines } from './ledger/machines.ts'
import { openOutbox } from './ledger/outbox.ts'
import { openTenantPorts, type TenantPorts } from './ledger/tenant-ports.ts'
import { openPendingPlans } from './ledger/pending-plans.ts'
import { openUrls } from './ledger/urls.ts'
import { openVault } from './ledger/vault.ts'
import { type Notices, openNotices } from './notices.ts'
import { openSitePower } from './power/site-power.ts'
import type { SiteParts } from './site-parts.ts'
import { startExecutor } from './plans/executor.ts'
import { ramdiskCommandLine } from './ramdisk-command-line.ts'
import { fetchPlan } from './plans/fetch-plan.ts'
import { openDeliveries } from './uplink/deliveries.ts'
import { startUplink } from './uplink/uplink.ts'
import { openVolumes } from './volumes/volumes.ts'

/** The site's program without its sockets. */
export interface Site {
  door: Hono
  images: RequestListener
  machines: Machines
  tenants: TenantPorts
  /** What the boot services tell: also lets a machine that restarted its ramdisk by itself be looked up again. */
  events: BootEvents
  notices: Notices
  /** Of the agent that runs on this node, or that is to boot from its medium. */
  agentToken(node: string): string | undefined
  /** Made when it is first asked for in a boot. */
  installerToken(node: string): string | undefined
  stop(): Promise<void>
}

export function startSite(parts: SiteParts): Site {
  const { ledger, clock, log, identity } = parts
  const now = (): Date => clock.now()
  const outbox = openOutbox(ledger, now, parts.uuid)
  const journal = openJournal(ledger)
  const machines = openMachines(ledger, parts.token, ({ secret, bind }) =>
    openSealed(secret, bind, identity.uuid, identity.sealingKey),
  )
  const urls = openUrls(ledger)
  const rows = openAgentRows(ledger, openVault(identity.sealingKey))

  const agents = siteAgents({
    rows,
    client: parts.agentClient,
    token: parts.token,
    clock,
    lastSeen: (node, since) => parts.lastSeen(machines.boot(node)?.macs ?? [], since),
  })
  const { images, listener, prefetches } = openSiteImages({
    parts,
    urls,
    journal,
    machines,
    refresh: (key) => uplink.refresh(key),
    isFilling: (command) => volumes.isFilling(command),
  })

  const delays = openDelays(parts.fake, parts.random)
  const imagined = openImagined(ledger)
  const goingDown = new AbortController()
  const bmcOf = async (machine: Machine): Promise<Bmc> => {
    const connect = (parts.drivers as Partial<Record<string, Drivers[keyof Drivers]>>)[machine.driver]
    if (!connect) throw new HardwareError(`this appliance has no driver ${machine.driver}: update it`)
    const stage = { clock, delays, memory: imagined(machine.node), signal: goingDown.signal }
    return power.guard(machine, await connect(openSecrets(machine, identity), stage))
  }
  const power = openSitePower({
    config: parts.power,
    machines,
    ledger,
    outbox,
    clock,
    random: parts.random,
    log,
    bmcOf,
    busy: (node) => executor.busy(node),
  })

  const consoles = openConsoles({
    ledger,
    clock,
    random: parts.random,
    uuid: parts.uuid,
    log,
    recordings: openRecordings(parts.consoles.dir),
    consoleOf: findConsole({
      machines,
      identity,
      drivers: parts.drivers,
      clock,
      delays,
      imagined,
      hostKeys: openHostKeys(ledger),
    }),
    publish: (message) => parts.link.publish(JSON.stringify(message)),
    learn: machines.learn,
  })

  const deliveries = openDeliveries(clock, parts.get)
  const logUploads = startLogUploads({ dir: parts.deployLogs.dir, outbox, deliveries, clock, log })
  const executor = startExecutor({
    ledger,
    journal,
    outbox,
    machines,
    clock,
    log,
    seenOfBoot: (node, since) => parts.marks(machines.boot(node)?.macs ?? [], since),
    logs: openDeployLogs({
      ...parts.deployLogs,
      when: parts.deployLogs.collect,
      uuid: parts.uuid,
      kept: logUploads.wake,
      log,
    }),
    attend: (node) => (parts.consoles.attend ? consoles.attend(node) : () => {}),
    screenOf: consoles.screenOf,
    crashPoint: parts.crashPoint,
    pending: openPendingPlans(ledger),
    tools: (plan) => ({
      bmc: () => bmcOf(rotates(plan) ? (machines.get(plan.machine.node)?.machine ?? plan.machine) : plan.machine),
      power: power.rules(plan.machine),
      secrets: stepSecrets(plan.machine, identity),
      authority: parts.authority,
      agents,
      images,
      posted: () => posted.take(plan.node),
      ramdiskCommandLine: ramdiskCommandLine(parts, plan.kind, plan.machine.driver_info),
      doorUrl: parts.doorUrl,
      delayMs: (kind) => delays(kind, plan.machine.driver_info),
      media: parts.media,
      switches: parts.switches,
      rescuePassword: () => openRescuePassword(plan.machine, identity),
    }),
    fetchPlan: (command, signal) =>
      fetchPlan({ urls, get: parts.get, refresh: (key) => uplink.refresh(key) }, command, signal),
  })

  const stays = (node: string): boolean => machines.get(node)?.machine.fast_track === true
  const expectsAgent = (node: string): boolean =>
    machines.boot(node)?.mode === 'ramdisk' && (executor.busy(node, 'provision') || stays(node))
  const posted = postedInventories(
    (node) => expectsAgent(node) && journal.openIn(node, 'provision')?.plan.kind === 'inspect',
  )
  const captures = openCaptures({
    dir: parts.captureDir,
    ledger,
    outbox,
    clock,
    log,
    make: (order) => parts.capture(order),
    deliveries,
  })
  const volumes = openVolumes({
    options: parts.volumes,
    identity,
    ledger,
    outbox,
    log,
    images,
    get: parts.get,
  })
  const tenants = openTenantPorts(ledger, log)
  const uplink = startUplink({
    link: parts.link,
    ledger,
    outbox,
    urls,
    clock,
    random: parts.random,
    software: parts.software,
    log,
    onCommand(command) {
      if (command.kind === 'capture') return captures.accept(command)
      if (command.kind === 'console') return consoles.accept(command)
      if (command.kind === 'volume') return volumes.accept(command)
      if (command.kind === 'tenant_port') return tenants.accept(command)
      executor.accept(command)
      const gone = command.kind === 'forget' || command.kind === 'release'
      if (gone && !machines.get(command.node)) consoles.forget(command.node)
    },
    onConsole: consoles.asked,
    onPlace: deliveries.place,
    onPrefetch: prefetches.ask,
    volumeRoom: volumes.room,
    certificate: parts.credentials,
  })
  executor.resume()
  volumes.resume()
  power.start()

  const stopHealth = startHealth({
    machines,
    ledger,
    outbox,
    clock,
    random: parts.random,
    log,
    busy: executor.busy,
    bmcOf,
    ...parts.health,
  })

  const strangers = openStrangers(outbox, now)
  const notices = openNotices(outbox, now)
  parts.credentials?.onTrouble((text) => notices.tell('certificate', { subject: 'certificate', text }))
  const events: BootEvents = {
    seen(mac, kind, detail) {
      // A new boot of the ramdisk is a new agent, with a token of its own, also when nobody told us of the reboot.
      const node = kind === 'script' ? machines.byMac(mac)?.node : undefined
      if (node) rows.wipe(node)
      if (kind === 'dhcp discover' && !machines.byMac(mac)) strangers.met(mac, detail)
      parts.events.seen(mac, kind, detail)
    },
  }

  return {
    door: agentDoor({
      machines,
      rows,
      clock,
      log,
      token: parts.token,
      events,
      posted,
      discoveries: parts.discovers ? openDiscoveries(outbox, parts.uuid, now) : undefined,
      expectsAgent,
    }),
    images: listener,
    agentToken: (node) => rows.get(node)?.token,
    installerToken: (node) => rows.get(node)?.token ?? rows.giveToken(node, parts.token(), clock.now()),
    machines,
    tenants,
    events,
    notices,
    async stop() {
      goingDown.abort(new Error('the appliance is going down'))
      await executor.stop()
      await captures.stop()
      await logUploads.stop()
      await volumes.stop()
      await prefetches.stop()
      await consoles.stop()
      await power.stop()
      await stopHealth()
      await uplink.stop()
    },
  }
}

/** What follows in such a plan logs in with the new password, or trusts the new certificate. */
function rotates(plan: Plan): boolean {
  return plan.steps.some((step) => rotating.has(stepName(step)))
}
const rotating = new Set([
  'management.rotate_bmc_password',
  'management.install_bmc_certificate',
  'management.renew_bmc_certificate',
])
