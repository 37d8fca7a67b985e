import { z } from 'zod'
import type { PlanKind, StepName } from './plan.ts'
import type { BootDevice, Node } from './resources.ts'

/** The hardware catalogue: what a driver name stands for. The API validates against it without asking a site, the site's table of
 * drivers implements it, and one test holds both together. Names are Ironic's. */

export const interfaceKinds = [
  'bios',
  'boot',
  'console',
  'deploy',
  'firmware',
  'inspect',
  'management',
  'network',
  'power',
  'raid',
  'rescue',
  'storage',
  'vendor',
] as const
export type InterfaceKind = (typeof interfaceKinds)[number]
export type InterfaceField = `${InterfaceKind}_interface`

export interface HardwareType {
  /** Implementations in order of priority: the first is the default. */
  interfaces: Readonly<Record<InterfaceKind, readonly [string, ...string[]]>>
  /** Keys of driver_info, with what they mean. */
  properties: Readonly<Record<string, string>>
  required: readonly string[]
  bootDevices: readonly BootDevice[]
}

export const hardware = {
  ipmi: {
    interfaces: {
      bios: ['no-bios'],
      boot: ['ipxe'],
      console: ['no-console'],
      deploy: ['direct'],
      firmware: ['no-firmware'],
      inspect: ['no-inspect'],
      management: ['ipmitool', 'noop'],
      network: ['noop'],
      power: ['ipmitool'],
      raid: ['no-raid'],
      rescue: ['no-rescue'],
      storage: ['noop'],
      vendor: ['no-vendor'],
    },
    properties: {
      ipmi_address: 'Host name or IP address of the BMC. Required.',
      ipmi_username: 'User name on the BMC. Default: none.',
      ipmi_password: 'Password on the BMC; sealed to the site when written. Default: none.',
      ipmi_port: 'UDP port of the BMC. Default: 623.',
      ipmi_priv_level: 'Privilege level asked for: ADMINISTRATOR, OPERATOR, USER or CALLBACK. Default: ADMINISTRATOR.',
      ipmi_hex_kg_key: 'BMC key Kg, 40 hexadecimal digits; sealed to the site when written. Default: none.',
      ipmi_cipher_suite: 'Cipher suite: 3 or 17. Default: the best that the BMC offers.',
      ipmi_disable_boot_timeout:
        'Whether to switch off the 60 s after which a BMC forgets its boot device. Default: true.',
    },
    required: ['ipmi_address'],
    bootDevices: ['pxe', 'disk', 'cdrom', 'bios', 'safe'],
  },
} as const satisfies Record<string, HardwareType>
export type Driver = keyof typeof hardware
export const drivers = Object.keys(hardware) as Driver[]

export function hardwareType(driver: string): HardwareType | undefined {
  return Object.hasOwn(hardware, driver) ? hardware[driver as Driver] : undefined
}

/** An implementation that only says that there is none. */
export function isAbsent(implementation: string | null): boolean {
  return implementation === null || implementation.startsWith('no-')
}

export type Interfaces = Pick<Node, InterfaceField>

/** What a node's interfaces are: as asked for, the driver's default elsewhere. A string says what is wrong instead. */
export function resolveInterfaces(driver: string, asked: Partial<Interfaces>): Interfaces | string {
  const type = hardwareType(driver)
  if (!type) return `No valid host was found. Reason: driver '${driver}' is unknown; there is: ${drivers.join(', ')}.`
  const resolved: Partial<Interfaces> = {}
  for (const kind of interfaceKinds) {
    const name = asked[`${kind}_interface`] ?? type.interfaces[kind][0]
    if (!type.interfaces[kind].includes(name))
      return `Could not find the following interface in the '${kind}' interface of driver '${driver}': ${name}. Valid: ${type.interfaces[kind].join(', ')}.`
    resolved[`${kind}_interface`] = name
  }
  return resolved as Interfaces
}

type Check = string | undefined

/** What is wrong with driver_info for power and management, or undefined. Sealed values can only be checked for being there. */
export function checkDriverInfo(driver: string, info: Record<string, unknown>): Check {
  const type = hardwareType(driver)
  if (!type) return `driver '${driver}' is unknown`
  const missing = type.required.filter((key) => info[key] === undefined || info[key] === null || info[key] === '')
  if (missing.length > 0) return `Missing the following properties in node's driver_info: ${missing.join(', ')}.`
  const wrong = ipmiSettings.safeParse(info).error?.issues[0]
  return wrong && `${wrong.path.join('.')}: ${wrong.message}`
}

const ipmiSettings = z.object({
  ipmi_port: z.coerce.number('a port is 1 to 65535').int().min(1).max(65_535, 'a port is 1 to 65535').nullish(),
  ipmi_priv_level: z.enum(['ADMINISTRATOR', 'OPERATOR', 'USER', 'CALLBACK']).nullish(),
  ipmi_cipher_suite: z.union([z.literal([3, 17, '3', '17'])], 'the suites are 3 and 17').nullish(),
})

export interface StepFacts {
  /** As Ironic shows it in deploy_step and clean_step, for those of its own steps. */
  priority: number
  deadline_seconds: number
  /** A machine has to come up or to work by itself meanwhile. */
  waits: boolean
  /** Operations that people may name this step in. */
  requestable: readonly PlanKind[]
}

const step = (priority: number, deadline_seconds: number, more: Partial<StepFacts> = {}): StepFacts => ({
  priority,
  deadline_seconds,
  waits: false,
  requestable: [],
  ...more,
})

export const steps = {
  'power.validate': step(0, 120),
  'power.power_on': step(0, 180),
  'power.power_off': step(0, 180),
  'power.set_power_state': step(0, 180),
  'management.set_boot_device': step(0, 120),
  'boot.prepare_ramdisk': step(0, 180),
  'boot.clean_up_ramdisk': step(0, 120),
  'boot.prepare_instance': step(30, 180),
  'deploy.start_agent': step(100, 900, { waits: true }),
  'deploy.write_image': step(80, 3600, { waits: true }),
  'deploy.prepare_instance_boot': step(60, 300),
  'deploy.tear_down_agent': step(40, 300),
  'deploy.boot_instance': step(20, 180),
  'deploy.erase_devices_metadata': step(99, 900, { waits: true, requestable: ['clean'] }),
} as const satisfies Record<StepName, StepFacts>
