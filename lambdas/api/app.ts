import { Hono } from 'hono'
import type { Platform } from '../platform.ts'
import { allocationRoutes } from './allocations.ts'
import { applianceRoutes } from './appliances.ts'
import { authentication } from './auth.ts'
import { authorization } from './authorization.ts'
import { captureRoutes } from './capture.ts'
import { deployLogRoutes } from './deploy-logs.ts'
import { chassisRoutes } from './chassis.ts'
import { componentRoutes } from './components.ts'
import { bare } from './bare-path.ts'
import { bulkRoutes } from './bulk.ts'
import { conductorRoutes } from './conductors.ts'
import type { ApiConfig } from './config.ts'
import { consoleLiveRoutes } from './console-live.ts'
import { consoleRoutes } from './console.ts'
import type { Api, Facts } from './context.ts'
import { deployTemplateRoutes } from './deploy-templates.ts'
import { driverRoutes } from './drivers.ts'
import { enrolRoutes } from './enrol.ts'
import { answerErrors } from './errors.ts'
import { eventRoutes } from './events.ts'
import { eventStreamRoutes } from './event-stream.ts'
import { historyRoutes } from './history.ts'
import { imageRoutes } from './images.ts'
import { imagePrefetchRoutes } from './image-prefetches.ts'
import { imagePushRoutes } from './image-pushes.ts'
import { inspectionRuleRoutes } from './inspection-rules.ts'
import { maintenanceRoutes } from './maintenance.ts'
import { managementRoutes } from './management.ts'
import { firmwareStateRoutes } from './firmware-states.ts'
import { indicatorRoutes } from './indicators.ts'
import { virtualMediaRoutes } from './virtual-media.ts'
import { gate, microversion } from './microversion.ts'
import { nodeRoutes } from './nodes.ts'
import { portgroupRoutes } from './portgroups.ts'
import { openApiRoutes } from './openapi.ts'
import { portRoutes } from './ports.ts'
import { powerRoutes } from './power.ts'
import { provisionRoutes } from './provision.ts'
import { raidRoutes } from './raid.ts'
import { ramdiskRoutes } from './ramdisk.ts'
import { rootRoutes } from './root.ts'
import { runbookTraitRoutes } from './runbook-traits.ts'
import { runbookRoutes } from './runbooks.ts'
import { shardRoutes } from './shards.ts'
import { siteRoutes } from './sites.ts'
import { siteSwitchRoutes } from './site-switches.ts'
import { statesRoutes } from './states.ts'
import { traitRoutes } from './traits.ts'
import { validateRoutes } from './validate.ts'
import { healthRoutes } from './health.ts'
import { whyRoutes } from './why.ts'
import { vendorRoutes } from './vendor-passthru.ts'
import { vifRoutes } from './vifs.ts'
import { volumeRoutes } from './volumes.ts'
import { webhookFailureRoutes } from './webhook-failures.ts'
import { webhookRoutes } from './webhooks.ts'
/** Ironic's REST API over a platform, and our own few routes beside it. */
export function createBaremetal(platform: Platform, config: ApiConfig): Api {
  const app = new Hono<Facts>({ getPath: (request) => canonicalPath(pathOf(request.url)) })
  app.use(microversion(platform, config))
  app.use(authentication(platform, config))
  app.use(gate)
  app.use(authorization(platform))
  answerErrors(app, platform)
  rootRoutes(app)
  openApiRoutes(app)
  validateRoutes(app, platform) // before nodes: `validate` is no node's name
  nodeRoutes(app, platform)
  statesRoutes(app, platform)
  provisionRoutes(app, platform)
  powerRoutes(app, platform)
  maintenanceRoutes(app, platform)
  managementRoutes(app, platform)
  traitRoutes(app, platform)
  historyRoutes(app, platform)
  portRoutes(app, platform)
  driverRoutes(app, platform)
  conductorRoutes(app, platform)
  applianceRoutes(app, platform)
  allocationRoutes(app, platform)
  chassisRoutes(app, platform)
  componentRoutes(app, platform)
  consoleRoutes(app, platform)
  consoleLiveRoutes(app, platform, config)
  deployTemplateRoutes(app, platform)
  eventRoutes(app, platform)
  inspectionRuleRoutes(app, platform)
  portgroupRoutes(app, platform)
  raidRoutes(app, platform)
  ramdiskRoutes(app)
  runbookRoutes(app, platform)
  runbookTraitRoutes(app, platform)
  shardRoutes(app, platform)
  firmwareStateRoutes(app, platform)
  indicatorRoutes(app, platform)
  virtualMediaRoutes(app, platform)
  vendorRoutes(app, platform)
  vifRoutes(app, platform)
  volumeRoutes(app, platform)
  whyRoutes(app, platform)
  healthRoutes(app, platform)
  captureRoutes(app, platform)
  deployLogRoutes(app, platform)
  bulkRoutes(app, platform)
  eventStreamRoutes(app, platform, config)
  webhookRoutes(app, platform, config.webhooks)
  webhookFailureRoutes(app, platform)
  siteRoutes(app, platform)
  siteSwitchRoutes(app, platform)
  enrolRoutes(app, platform)
  imageRoutes(app, platform)
  imagePushRoutes(app, platform)
  imagePrefetchRoutes(app, platform)
  return app
}

/** A URL is parsed only where its path is more than plain words. */
export function pathOf(url: string): string {
  const plain = /^https?:\/\/[^/?#\\@]+(\/[\w/-]*)(?:\?[^#]*)?$/.exec(url)?.[1]
  return plain ?? new URL(url).pathname
}

/** `/nodes` and `/v1/nodes/` are `/v1/nodes`. */
export function canonicalPath(path: string): string {
  const own = bare(path)
  if (own === '' || own === '/v1' || own.startsWith('/v1/')) return own || '/'
  return `/v1${own}`
}
