import type { Allocation } from '../allocation.ts'
import type { CaptureView } from '../capture.ts'
import type { DeployLogView } from '../deploy-log.ts'
import type { ConsoleLogView, ConsolePage } from '../console.ts'
import type { Chassis } from '../chassis.ts'
import type { DeployTemplate } from '../deploy-template.ts'
import type { Event } from '../event.ts'
import type { HealthView, SensorReading } from '../health.ts'
import type { ImagePage, SignedManifest } from '../images/manifest.ts'
import type { Prefetches } from '../images/prefetch.ts'
import type { ChunkAnswers, ImagePush, PushedChunks } from '../images/push.ts'
import type { InspectionRule } from '../inspection-rule.ts'
import type { Portgroup } from '../portgroup.ts'
import type { Verb } from '../provision.ts'
import type { HistoryEntry, Node, PowerTarget, Site } from '../resources.ts'
import type { Runbook } from '../runbook.ts'
import type { VolumeConnector, VolumeTarget } from '../volume.ts'
import type { FailedDelivery, Webhook, WebhookStatus } from '../webhook.ts'
import type { Why } from '../why.ts'
import type { PatchOperation } from './patch.ts'
import type {
  BootDevice,
  EnrolReply,
  EnrolRequest,
  NewImage,
  ProvisionOptions,
  Shown,
  SwitchView,
  SwitchWish,
  Validation,
} from './requests.ts'
import { get, type Json, list, of, post, put, remove, send } from './route.ts'
import type { ConductorView, DriverView, ImageView, NodeView, PortView, Uploaded } from './views.ts'

/** Every route of the API that callers have, as a function of the client. lambdas/api/permissions.test.ts holds it to what is served.
 * Of two paths to the same thing, here is the one that all versions have. */

const patch = <P extends string, T>(path: P, reply: (value: never) => T) =>
  send('PATCH', path, (body: PatchOperation[]) => ({ body }), reply)
const nothing = () => ({})

/** What most resources have. */
const resource = <Word extends string, Ident extends string, T>(word: Word, ident: Ident, one: (value: never) => T) =>
  ({
    create: post(`/v1/${word}`, one),
    get: get(`/v1/${word}/:${ident}`, one),
    list: list(`/v1/${word}`, word.split('/').at(-1)!, one),
    patch: patch(`/v1/${word}/:${ident}`, one),
    delete: remove(`/v1/${word}/:${ident}`),
  }) as const

export const routes = {
  nodes: {
    ...resource('nodes', 'ident', of<NodeView>),
    states: get('/v1/nodes/:ident/states', of<Partial<NodeView>>),
    why: get('/v1/nodes/:ident/why', of<Why>),
    capture: post('/v1/nodes/:ident/capture', of<CaptureView>),
    deployLogs: get('/v1/nodes/:ident/deploy_logs', of<{ deploy_logs: DeployLogView[] }>),
    captured: get('/v1/nodes/:ident/capture', of<CaptureView>),
    validate: get('/v1/nodes/:ident/validate', of<Record<string, Validation>>),
    ports: list('/v1/nodes/:ident/ports', 'ports', of<PortView>, { detail: true }),
    portgroups: list('/v1/nodes/:ident/portgroups', 'portgroups', of<Shown<Portgroup>>, { detail: true }),
    history: list('/v1/nodes/:ident/history', 'history', of<HistoryEntry>, { detail: true }),
    historyEntry: get('/v1/nodes/:ident/history/:entry', of<HistoryEntry>),
    children: get('/v1/nodes/:ident/children', of<{ children: string[] }>),
    maintenance: send(
      'PUT',
      '/v1/nodes/:ident/maintenance',
      (reason: string | undefined) => ({ body: { reason } }),
      of<void>,
    ),
    clearMaintenance: remove('/v1/nodes/:ident/maintenance'),
    provision: send(
      'PUT',
      '/v1/nodes/:ident/states/provision',
      (target: Verb, more: ProvisionOptions = {}) => ({ body: { target, ...more } }),
      of<void>,
    ),
    power: send(
      'PUT',
      '/v1/nodes/:ident/states/power',
      (target: PowerTarget, timeout?: number) => ({ body: { target, timeout } }),
      of<void>,
    ),
    setRaid: put('/v1/nodes/:ident/states/raid'),
    setBootMode: put('/v1/nodes/:ident/states/boot_mode'),
    setSecureBoot: put('/v1/nodes/:ident/states/secure_boot'),
    console: get('/v1/nodes/:ident/states/console', of<{ console_enabled: boolean; console_info: Json | null }>),
    setConsole: put('/v1/nodes/:ident/states/console'),
    consoleStream: get('/v1/nodes/:ident/console/stream', of<ConsolePage>),
    consoleInput: post('/v1/nodes/:ident/console/input', of<void>),
    askConsoleLog: post('/v1/nodes/:ident/console/log', of<ConsoleLogView>),
    consoleLog: get('/v1/nodes/:ident/console/log', of<ConsoleLogView>),
    bootDevice: get('/v1/nodes/:ident/management/boot_device', of<BootDevice>),
    setBootDevice: send(
      'PUT',
      '/v1/nodes/:ident/management/boot_device',
      (body: { boot_device: string; persistent: boolean }) => ({ body }),
      of<void>,
    ),
    bootDevices: get('/v1/nodes/:ident/management/boot_device/supported', of<{ supported_boot_devices: string[] }>),
    injectNmi: send('PUT', '/v1/nodes/:ident/management/inject_nmi', () => ({ body: {} }), of<void>),
    indicators: get('/v1/nodes/:ident/management/indicators', of<Json>),
    indicator: get('/v1/nodes/:ident/management/indicators/:component', of<Json>),
    setIndicator: put('/v1/nodes/:ident/management/indicators/:component'),
    virtualMedia: get('/v1/nodes/:ident/vmedia', of<Json>),
    attachVirtualMedia: post('/v1/nodes/:ident/vmedia', of<void>),
    detachVirtualMedia: remove('/v1/nodes/:ident/vmedia'),
    traits: get('/v1/nodes/:ident/traits', of<{ traits: string[] }>),
    setTraits: send('PUT', '/v1/nodes/:ident/traits', (traits: string[]) => ({ body: { traits } }), of<void>),
    addTrait: send('PUT', '/v1/nodes/:ident/traits/:trait', nothing, of<void>),
    removeTraits: remove('/v1/nodes/:ident/traits'),
    removeTrait: remove('/v1/nodes/:ident/traits/:trait'),
    vifs: get('/v1/nodes/:ident/vifs', of<{ vifs: Array<{ id: string }> }>),
    attachVif: post('/v1/nodes/:ident/vifs', of<void>),
    detachVif: remove('/v1/nodes/:ident/vifs/:vif'),
    biosSettings: get('/v1/nodes/:ident/bios', of<{ bios: Json[] }>),
    biosSetting: get('/v1/nodes/:ident/bios/:setting', of<Json>),
    firmware: get('/v1/nodes/:ident/firmware', of<{ firmware: Json[] }>),
    inventory: get('/v1/nodes/:ident/inventory', of<{ inventory: Json; plugin_data: Json }>),
    allocation: get('/v1/nodes/:ident/allocation', of<Shown<Allocation>>),
    deleteAllocation: remove('/v1/nodes/:ident/allocation'),
    health: get('/v1/nodes/:ident/health', of<HealthView>),
    sensors: get('/v1/nodes/:ident/sensors', of<{ read_at: string; sensors: SensorReading[] }>),
    readSensors: post('/v1/nodes/:ident/sensors', of<void>),
    volume: get('/v1/nodes/:ident/volume', of<Json>),
    volumeConnectors: list('/v1/nodes/:ident/volume/connectors', 'connectors', of<Shown<VolumeConnector>>),
    volumeTargets: list('/v1/nodes/:ident/volume/targets', 'targets', of<Shown<VolumeTarget>>),
    vendorMethods: get('/v1/nodes/:ident/vendor_passthru/methods', of<Json>),
    vendorGet: get('/v1/nodes/:ident/vendor_passthru', of<unknown>),
    vendorPost: post('/v1/nodes/:ident/vendor_passthru', of<unknown>),
    vendorPut: put('/v1/nodes/:ident/vendor_passthru'),
    vendorDelete: remove('/v1/nodes/:ident/vendor_passthru'),
  },
  bulk: {
    provision: post('/v1/bulk/provision', of<{ results: Json[]; more: boolean }>),
  },
  ports: resource('ports', 'ident', of<PortView>),
  portgroups: {
    ...resource('portgroups', 'portgroup', of<Shown<Portgroup>>),
    ports: list('/v1/portgroups/:portgroup/ports', 'ports', of<PortView>, { detail: true }),
  },
  chassis: {
    ...resource('chassis', 'chassis', of<Shown<Chassis>>),
    nodes: list('/v1/chassis/:chassis/nodes', 'nodes', of<NodeView>),
  },
  allocations: resource('allocations', 'allocation', of<Shown<Allocation>>),
  deployTemplates: resource('deploy_templates', 'template', of<Shown<DeployTemplate>>),
  inspectionRules: resource('inspection_rules', 'rule', of<Shown<InspectionRule>>),
  runbooks: {
    ...resource('runbooks', 'runbook', of<Shown<Runbook>>),
    traits: get('/v1/runbooks/:runbook/traits', of<{ traits: string[] }>),
    setTraits: send('PUT', '/v1/runbooks/:runbook/traits', (traits: string[]) => ({ body: { traits } }), of<void>),
    addTrait: send('PUT', '/v1/runbooks/:runbook/traits/:trait', nothing, of<void>),
    removeTraits: remove('/v1/runbooks/:runbook/traits'),
    removeTrait: remove('/v1/runbooks/:runbook/traits/:trait'),
  },
  volume: { get: get('/v1/volume', of<Json>) },
  volumeConnectors: resource('volume/connectors', 'volume', of<Shown<VolumeConnector>>),
  volumeTargets: resource('volume/targets', 'volume', of<Shown<VolumeTarget>>),
  drivers: {
    list: list('/v1/drivers', 'drivers', of<DriverView>, { detail: true }),
    get: get('/v1/drivers/:name', of<DriverView>),
    properties: get('/v1/drivers/:name/properties', of<Record<string, string>>),
    raidProperties: get('/v1/drivers/:name/raid/logical_disk_properties', of<Record<string, string>>),
    vendorMethods: get('/v1/drivers/:name/vendor_passthru/methods', of<Json>),
    vendorGet: get('/v1/drivers/:name/vendor_passthru', of<unknown>),
    vendorPost: post('/v1/drivers/:name/vendor_passthru', of<unknown>),
    vendorPut: put('/v1/drivers/:name/vendor_passthru'),
    vendorDelete: remove('/v1/drivers/:name/vendor_passthru'),
  },
  conductors: {
    list: list('/v1/conductors', 'conductors', of<ConductorView>, { detail: true }),
    get: get('/v1/conductors/:name', of<ConductorView>),
    patch: patch('/v1/conductors/:name', of<ConductorView>),
    delete: remove('/v1/conductors/:name'),
  },
  shards: { list: list('/v1/shards', 'shards', of<{ name: string | null; count: number }>) },
  events: {
    /** A page; `last` is where to go on. */
    page: get('/v1/events', of<{ events: Event[]; last: string }>),
    post: post('/v1/events', of<void>),
  },
  webhooks: {
    ...resource('webhooks', 'webhook', of<Shown<Webhook> & { status?: WebhookStatus }>),
    failures: list('/v1/webhooks/:webhook/failures', 'failures', of<FailedDelivery>),
    replay: post('/v1/webhooks/:webhook/failures/replay', of<{ replayed: number }>),
  },
  sites: {
    create: send(
      'POST',
      '/v1/sites',
      (name: string, description?: string) => ({ body: { name, description } }),
      of<Site>,
    ),
    get: get('/v1/sites/:name', of<Site>),
    list: list('/v1/sites', 'sites', of<Site>),
    createToken: send('POST', '/v1/sites/:name/tokens', nothing, of<{ token: string; expires_at: string }>),
    switches: get('/v1/sites/:name/switches', of<{ switches: SwitchView[] }>),
    setSwitch: send('PUT', '/v1/sites/:name/switches/:switch', (body: SwitchWish) => ({ body }), of<SwitchView>),
    deleteSwitch: remove('/v1/sites/:name/switches/:switch'),
  },
  appliances: {
    enrol: send('POST', '/v1/enrol', (body: EnrolRequest) => ({ body }), of<EnrolReply>),
  },
  images: {
    create: send('POST', '/v1/images', (body: NewImage) => ({ body }), of<Uploaded>),
    complete: send('POST', '/v1/images/:ident/complete', nothing, of<ImageView>),
    get: get('/v1/images/:ident', of<ImageView>),
    list: list('/v1/images', 'images', of<ImageView>),
    delete: remove('/v1/images/:ident'),
    retain: send(
      'PUT',
      '/v1/images/:ident/retention',
      (expires_at: string | null) => ({ body: { expires_at } }),
      of<ImageView>,
    ),
    prefetch: send('POST', '/v1/images/:ident/prefetch', (site: string) => ({ body: { site } }), of<Prefetches>),
    prefetches: get('/v1/images/:ident/prefetch', of<Prefetches>),
    cancelPrefetch: remove('/v1/images/:ident/prefetch'),
  },
  imagePushes: {
    begin: send('POST', '/v1/image_pushes', (name: string) => ({ body: { name } }), of<ImagePush>),
    chunks: send('POST', '/v1/image_pushes/:push/chunks', (body: PushedChunks) => ({ body }), of<ChunkAnswers>),
    page: send('PUT', '/v1/image_pushes/:push/pages/:page', (chunks: ImagePage) => ({ body: { chunks } }), of<void>),
    complete: send('POST', '/v1/image_pushes/:push/complete', (body: SignedManifest) => ({ body }), of<ImageView>),
  },
  api: {
    root: get('/', of<Json>),
    openApi: get('/v1/openapi.json', of<Json>),
    validate: send('GET', '/v1/nodes/validate', (node: Node['uuid']) => ({ query: { node } }), of<Json>),
  },
} as const
