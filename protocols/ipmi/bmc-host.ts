import { BootOptions } from './bmc-boot-options.ts'
import { satellitesOf } from './bmc-bridge.ts'
import { ChannelAccess } from './bmc-channel.ts'
import { ChassisState } from './bmc-chassis.ts'
import { Dcmi } from './bmc-dcmi.ts'
import { EventLog } from './bmc-event-log.ts'
import { LanConfiguration } from './bmc-lan.ts'
import { type BmcOptions, defaultLimits } from './bmc-options.ts'
import type { CommandHost } from './bmc-row.ts'
import { SensorSettings } from './bmc-sensor-settings.ts'
import { Challenges } from './bmc-session-15.ts'
import { BmcSessions } from './bmc-sessions.ts'
import { Users } from './bmc-users.ts'
import { guard } from './bmc-watchdog.ts'
import { cipherSuites, preferredSuites } from './cipher-suite.ts'
import { systemClock } from './clock.ts'
import { systemRandom } from './random.ts'
import { SolHost } from './sol-bmc.ts'
import { defaultSol } from './sol-serial.ts'

const defaultDevice: CommandHost['device'] = {
  deviceId: 0x20,
  revision: { deviceRevision: 1, deviceSdrs: false },
  firmware: { major: 1, updating: false },
  firmwareMinor: 0x00,
  ipmiVersion: 0x02,
  support: {
    sensor: false,
    sdr: false,
    sel: true,
    fru: false,
    eventReceiver: false,
    eventGenerator: false,
    bridge: false,
    chassis: true,
  },
  manufacturer: 0,
  product: 0,
  auxiliaryFirmware: new Uint8Array(4),
}

/** All that a BMC is and remembers, for its commands to work on. */
export function commandHost(options: BmcOptions): CommandHost {
  const { chassis, onError, clock = systemClock, random = systemRandom } = options
  const users = new Users(options.users)
  const channelAccess = new ChannelAccess()
  const limits = { ...defaultLimits, ...options.limits }
  const sessions = new BmcSessions(limits, clock, random)
  const challenges = options.ipmi15 ? new Challenges(limits, clock, random) : undefined
  const suites = (options.cipherSuites ?? preferredSuites).map((id) => cipherSuites[id])
  const guid = options.guid ?? random(16)
  const inventory = { sensors: [], fru: new Uint8Array(0), ...options.inventory }
  const support = {
    ...defaultDevice.support,
    sensor: inventory.sensors.length > 0,
    sdr: inventory.sensors.length > 0,
    fru: inventory.fru.length > 0,
    bridge: options.satellites !== undefined,
  }
  const chassisState = new ChassisState(clock)
  const eventLog = new EventLog(clock, { eraseMs: options.eraseMs })
  const udpPort = options.udpPort ?? 623
  const solParts = { sessions, clock, udpPort, settings: { ...defaultSol, ...options.sol } }
  const host: CommandHost = {
    chassis,
    chassisState,
    bootOptions: new BootOptions(chassis, clock),
    users,
    channelAccess,
    lan: new LanConfiguration(options.lan ?? {}, suites, options.ipmi15 ?? false),
    watchdog: guard({ chassis, chassisState, eventLog, clock, onError }),
    dcmi: new Dcmi(guid),
    sensorSettings: new SensorSettings(inventory.sensors),
    eventLog,
    inventory,
    sol: options.serial && new SolHost(options.serial, solParts),
    udpPort,
    guid,
    sessions,
    logins15: { challenges, users, channelAccess, sessions, random },
    kgSet: options.kg !== undefined,
    suites,
    device: { ...defaultDevice, support, ...options.device },
    onError,
    satellites: new Map(),
  }
  host.satellites = satellitesOf(options.satellites ?? [], host, clock)
  return host
}
