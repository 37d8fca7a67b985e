import { dellRaidLink } from './dell-raid.ts'
import { type JsonObject, objectAt, textAt, textsAt } from '../json.ts'
import { maintenanceWindow } from './bios.ts'
import { checkBootOrder } from './boot-options.ts'
import { changeIndicator } from './indicator.ts'
import { type BootOverride, Refusal } from './machine.ts'
import { type Call, done, ref, type Result, type Route } from './route.ts'
import { chassisPath, managerPath, started, type State, systemPath } from './state.ts'

const resets = [
  'On',
  'ForceOff',
  'GracefulShutdown',
  'GracefulRestart',
  'ForceRestart',
  'Nmi',
  'PushPowerButton',
  'PowerCycle',
  'ForceOn',
]
const targets = ['None', 'Pxe', 'Cd', 'Hdd', 'Usb', 'Floppy', 'BiosSetup', 'UefiHttp']

export function systemRoutes(state: State): Route[] {
  const path = systemPath(state)
  const settings = `${path}/Settings`
  const { pending } = state.dialect.boot ?? {}
  const change = (call: Call): Promise<void> => changeSystem(state, call.body)
  return [
    pending ? { path, get: () => viewSystem(state) } : { path, get: () => viewSystem(state), patch: change },
    ...(pending
      ? [{ path: settings, get: async () => ({ Boot: (await viewSystem(state))['Boot'] }), patch: change }]
      : []),
    { path: `${path}/Actions/ComputerSystem.Reset`, post: ({ body }) => reset(state, textAt(body, 'ResetType')) },
  ]
}

async function viewSystem(state: State): Promise<JsonObject> {
  const { machine, dialect, indicator } = state
  const { facts } = machine
  const path = systemPath(state)
  const boot = await machine.boot.get()
  return {
    '@odata.type': '#ComputerSystem.v1_16_0.ComputerSystem',
    Id: dialect.systemId,
    Name: facts.name,
    UUID: facts.uuid,
    SerialNumber: facts.serial ?? facts.name,
    Manufacturer: dialect.manufacturer,
    Model: 'Simulated server',
    Description: 'Simulated server',
    AssetTag: 'asset-1',
    HostName: 'host-1',
    PartNumber: 'P-1',
    SKU: 'sku-1',
    '@Redfish.MaintenanceWindow': maintenanceWindow,
    SystemType: 'Physical',
    IndicatorLED: indicator,
    ...(state.consoles.system ? { SerialConsole: state.consoles.system } : {}),
    BiosVersion: state.firmware.get('BIOS')?.version ?? '',
    PowerState: await machine.power(),
    Status: { State: 'Enabled', Health: 'OK', HealthRollup: 'OK' },
    ProcessorSummary: { Count: facts.processors ?? 1, Status: { State: 'Enabled', Health: 'OK' } },
    MemorySummary: { TotalSystemMemoryGiB: facts.memoryGiB ?? 1, Status: { State: 'Enabled', Health: 'OK' } },
    Boot: {
      BootSourceOverrideEnabled: boot.enabled,
      BootSourceOverrideTarget: boot.target,
      BootSourceOverrideMode: boot.mode,
      ...(boot.uri === undefined ? {} : { HttpBootUri: boot.uri }),
      'BootSourceOverrideTarget@Redfish.AllowableValues': targets,
      BootOrder: state.bootOrder,
      BootOptions: ref(`${path}/BootOptions`),
      Certificates: ref(`${path}/Boot/Certificates`),
    },
    Bios: ref(`${path}/Bios`),
    SecureBoot: ref(`${path}/SecureBoot`),
    Processors: ref(`${path}/Processors`),
    EthernetInterfaces: ref(`${path}/EthernetInterfaces`),
    Storage: ref(`${path}/Storage`),
    SimpleStorage: ref(`${path}/SimpleStorage`),
    ...(dialect.media.where === 'systems' ? { VirtualMedia: ref(`${path}/VirtualMedia`) } : {}),
    ...(dialect.boot?.pending ? { '@Redfish.Settings': { SettingsObject: ref(`${path}/Settings`) } } : {}),
    Links: { Chassis: [ref(chassisPath)], ManagedBy: [ref(managerPath(state))], ...dellRaidLink(state) },
    Actions: {
      '#ComputerSystem.Reset': {
        target: `${path}/Actions/ComputerSystem.Reset`,
        'ResetType@Redfish.AllowableValues': resets,
      },
    },
  }
}

async function changeSystem(state: State, body: JsonObject): Promise<void> {
  const lit = changeIndicator(state, body)
  const boot = objectAt(body, 'Boot')
  if (boot && 'BootOrder' in boot) {
    const order = textsAt(boot, 'BootOrder')
    checkBootOrder(state, order)
    state.bootOrder = order
  } else if (boot) await changeBoot(state, boot)
  else if (!lit) throw new Refusal(400, 'PropertyUnknown', [Object.keys(body).join(' ')])
}

async function changeBoot({ machine, dialect }: State, boot: JsonObject): Promise<void> {
  const { loses, onceOnly, refusesMode } = dialect.boot ?? {}
  const now = await machine.boot.get()
  const target = textAt(boot, 'BootSourceOverrideTarget')
  const enabled = textAt(boot, 'BootSourceOverrideEnabled')
  const mode = textAt(boot, 'BootSourceOverrideMode')
  const uri = textAt(boot, 'HttpBootUri') ?? now.uri
  if (target !== undefined && !targets.includes(target))
    throw new Refusal(400, 'PropertyValueNotInList', [target, 'BootSourceOverrideTarget'])
  if (enabled === 'Continuous' && onceOnly)
    throw new Refusal(400, 'PropertyValueNotInList', [enabled, 'BootSourceOverrideEnabled'])
  if (mode !== undefined && refusesMode) throw new Refusal(400, 'PropertyNotWritable', ['BootSourceOverrideMode'])
  const lost = (loses !== undefined && enabled === undefined) || (loses === 'withoutAll' && mode === undefined)
  const next: BootOverride = lost
    ? { target: 'None', enabled: 'Disabled', mode: now.mode }
    : {
        target: target ?? now.target,
        enabled: oneOf(enabled, ['Once', 'Continuous', 'Disabled'], 'BootSourceOverrideEnabled') ?? now.enabled,
        mode: oneOf(mode, ['UEFI', 'Legacy'], 'BootSourceOverrideMode') ?? now.mode,
        ...(uri === undefined ? {} : { uri }),
      }
  await machine.boot.set(next)
}

function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], property: string): T | undefined {
  const found = allowed.find((each) => each === value)
  if (value !== undefined && found === undefined) throw new Refusal(400, 'PropertyValueNotInList', [value, property])
  return found
}

async function reset(state: State, type: string | undefined): Promise<Result> {
  if (type === undefined) throw new Refusal(400, 'ActionParameterMissing', ['ComputerSystem.Reset', 'ResetType'])
  if (!resets.includes(type)) throw new Refusal(400, 'ActionParameterValueNotInList', [type, 'ResetType'])
  if (type === 'On' && state.conflicts > 0) {
    state.conflicts -= 1
    throw new Refusal(409, 'ActionParameterValueConflict', ['ResetType', type])
  }
  if (type === 'ForceOff') state.conflicts = state.dialect.conflicts ?? 0
  if (type === 'ForceRestart' || type === 'PowerCycle' || type === 'GracefulRestart') started(state)
  else if (type.endsWith('On') && (await state.machine.power()) === 'Off') started(state)
  const before = await state.machine.power()
  await state.machine.reset(type)
  const after = await state.machine.power()
  if (before !== after) tellPower(state, after)
  return done
}

/** For simulators too, whose machines go off by themselves. */
export function tellPower(state: State, power: 'On' | 'Off'): void {
  const { name } = state.machine.facts
  state.events.emit({
    messageId: `ResourceEvent.1.3.0.ResourcePowered${power}`,
    text: `The resource \`${name}\` has powered ${power.toLowerCase()}.`,
    args: [name],
    origin: systemPath(state),
  })
}
