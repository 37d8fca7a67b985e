import { z } from 'zod'
import { ipmiSettings } from './ipmi-settings.ts'
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

/** What the fake interfaces can be made to take time for. */
export const fakeDelays = [
  'bios',
  'boot',
  'deploy',
  'firmware',
  'inspect',
  'management',
  'power',
  'raid',
  'rescue',
] as const
export type FakeDelay = (typeof fakeDelays)[number]

const MOST_SECONDS = 3600
/** `1.5`, or `1,3`: between one and three. Seconds. */
export const fakeDelay = z
  .union(
    [z.number().min(0), z.string().regex(/^\s*\d+(\.\d+)?\s*(,\s*\d+(\.\d+)?\s*)?$/)],
    'a delay is seconds, or "min,max"',
  )
  .transform((given) => String(given).split(',').map(Number))
  .transform(([least = 0, most = least]) => ({ least, most }))
  .refine(
    ({ least, most }) => least <= most && most <= MOST_SECONDS,
    `a delay is at most ${MOST_SECONDS} s, min before max`,
  )

/** Of Ironic's, all: what a machine is served is decided by its firmware, not by these names. */
const networkBoots = ['ipxe', 'pxe', 'http-ipxe', 'http'] as const

/** Stands for one of the others, chosen by what is to be deployed. */
export const AUTODETECT = 'autodetect'
export const detectable = ['ramdisk', 'bootc', 'direct'] as const
export type Detectable = (typeof detectable)[number]
const deploys = [AUTODETECT, 'direct', 'ramdisk', 'anaconda', 'bootc', 'custom-agent'] as const

const redfishProperties = {
  redfish_address: 'URL of the BMC; https unless it says http. A path, if there is one, is its service root. Required.',
  redfish_system_id: "Id or path of the system. Default: the BMC's only one.",
  redfish_username: 'User name on the BMC. Default: none.',
  redfish_password: 'Password on the BMC; sealed to the site when written. Default: none.',
  redfish_verify_ca:
    "Whether the BMC's certificate is verified, or a file on the appliance with the authorities to trust. Default: true.",
  redfish_certificate_fingerprint:
    "SHA-256 of the BMC's own certificate, in hexadecimal: only that one is trusted, whoever signed it. Default: none.",
  redfish_tls_minimum_version:
    'The oldest TLS to speak with the BMC: 1.1 (for old BMCs alone), 1.2 or 1.3. Default: 1.2.',
  redfish_tls_ciphers: "Cipher suites to offer, as OpenSSL names them. Default: Node's.",
  redfish_console:
    'Of console interface redfish-serial: ssh or ipmi, or auto (the best that the BMC tells of). Default: auto.',
  redfish_console_command:
    "What is typed after the log-in by SSH to get to the machine's serial port. Default: what the BMC tells, or its vendor's.",
  redfish_ssh_port: 'TCP port of the SSH that leads to the serial port. Default: what the BMC tells, or 22.',
  redfish_ssh_fingerprint:
    'Of the SSH host key, such as SHA256:AbC…: only that one is trusted. Default: the first one that the site has seen.',
  redfish_auth_type: 'How to log in: basic, session, or auto (a session where there are any). Default: auto.',
} as const

const ipmi = {
  interfaces: {
    bios: ['no-bios'],
    boot: networkBoots,
    console: ['no-console', 'ipmitool-socat', 'ipmitool-shellinabox'],
    deploy: deploys,
    firmware: ['no-firmware'],
    inspect: ['no-inspect', 'agent'],
    management: ['ipmitool', 'noop'],
    network: ['noop', 'flat', 'neutron'],
    power: ['ipmitool'],
    raid: ['no-raid', 'agent'],
    rescue: ['no-rescue', 'agent'],
    storage: ['noop', 'cinder', 'external'],
    vendor: ['ipmitool', 'no-vendor'],
  },
  properties: {
    ipmi_address: 'Host name or IP address of the BMC. Required.',
    ipmi_username: 'User name on the BMC. Default: none.',
    ipmi_password: 'Password on the BMC; sealed to the site when written. Default: none.',
    ipmi_port: 'UDP port of the BMC. Default: 623.',
    ipmi_priv_level: 'Privilege level asked for: ADMINISTRATOR, OPERATOR, USER or CALLBACK. Default: ADMINISTRATOR.',
    ipmi_hex_kg_key: 'BMC key Kg, 40 hexadecimal digits; sealed to the site when written. Default: none.',
    ipmi_cipher_suite:
      'Cipher suite, 0 to 3, 6 to 8, 11, 12 or 15 to 17; all but 3 and 17 prove or hide less. Default: 17 or 3, the best that the BMC offers.',
    ipmi_protocol_version:
      'Version of IPMI: 2.0, or 1.5 for BMCs that have nothing better (its log-in is by MD5). Default: 2.0.',
    ipmi_disable_boot_timeout:
      'Whether to switch off the 60 s after which a BMC forgets its boot device. Default: true.',
    ipmi_force_boot_device:
      "Whether the BMC is told the boot device again each time the machine is switched on, because it can't keep it. Default: false.",
    ipmi_bridging:
      'Whether commands are for a controller behind the BMC: no, single (its target) or dual (behind its transit). Default: no.',
    ipmi_target_channel: 'Channel of the target, such as 0. For bridging single and dual.',
    ipmi_target_address: 'Address of the target, such as 0x82. For bridging single and dual.',
    ipmi_transit_channel: 'Channel of the transit. For bridging dual.',
    ipmi_transit_address: 'Address of the transit. For bridging dual.',
    ipmi_local_address: 'Address from which the transit asks. Default: 0x20.',
    ipmi_terminal_port: "Ironic's; here consoles are had through the API, and it has no effect.",
  },
  required: ['ipmi_address'],
  bootDevices: ['pxe', 'disk', 'cdrom', 'bios', 'safe'],
} as const satisfies HardwareType

export const hardware = {
  ipmi,
  /** Whose BMC can also be told how its processors trade cores for speed. */
  'intel-ipmi': { ...ipmi, interfaces: { ...ipmi.interfaces, management: ['intel-ipmitool'] } },
  redfish: {
    interfaces: {
      bios: ['redfish', 'no-bios'],
      boot: [...networkBoots, 'redfish-virtual-media', 'redfish-https'],
      console: ['no-console', 'ipmitool-socat', 'redfish-serial'],
      deploy: deploys,
      firmware: ['redfish', 'no-firmware'],
      inspect: ['redfish', 'agent', 'no-inspect'],
      management: ['redfish', 'noop'],
      network: ['noop', 'flat', 'neutron'],
      power: ['redfish'],
      raid: ['redfish', 'no-raid', 'agent'],
      rescue: ['no-rescue', 'agent'],
      storage: ['noop', 'cinder', 'external'],
      vendor: ['redfish', 'no-vendor'],
    },
    properties: redfishProperties,
    required: ['redfish_address'],
    bootDevices: ['pxe', 'disk', 'cdrom', 'bios'],
  },
  idrac: {
    interfaces: {
      bios: ['idrac-redfish', 'redfish', 'no-bios'],
      boot: [...networkBoots, 'idrac-redfish-virtual-media', 'redfish-https'],
      console: ['no-console', 'ipmitool-socat', 'redfish-serial'],
      deploy: deploys,
      firmware: ['redfish', 'no-firmware'],
      inspect: ['idrac-redfish', 'agent', 'no-inspect'],
      management: ['idrac-redfish'],
      network: ['noop', 'flat', 'neutron'],
      power: ['idrac-redfish', 'redfish'],
      raid: ['idrac-redfish', 'no-raid', 'agent'],
      rescue: ['no-rescue', 'agent'],
      storage: ['noop', 'cinder', 'external'],
      vendor: ['idrac-redfish', 'redfish', 'no-vendor'],
    },
    properties: redfishProperties,
    required: ['redfish_address'],
    bootDevices: ['pxe', 'disk', 'cdrom', 'bios'],
  },
  'manual-management': {
    interfaces: {
      bios: ['no-bios'],
      boot: networkBoots,
      console: ['no-console'],
      deploy: [...deploys, 'noop'],
      firmware: ['no-firmware'],
      inspect: ['agent', 'no-inspect'],
      management: ['noop', 'fake'],
      network: ['noop', 'flat', 'neutron'],
      power: ['fake', 'agent'],
      raid: ['no-raid', 'agent'],
      rescue: ['no-rescue', 'agent'],
      storage: ['noop', 'cinder', 'external'],
      vendor: ['no-vendor'],
    },
    properties: {},
    required: [],
    bootDevices: ['pxe', 'disk', 'cdrom', 'bios', 'safe'],
  },
  'fake-hardware': {
    interfaces: {
      bios: ['fake', 'no-bios'],
      boot: ['fake', ...networkBoots],
      console: ['fake', 'no-console'],
      deploy: ['fake', ...deploys],
      firmware: ['fake', 'no-firmware'],
      inspect: ['fake', 'agent', 'no-inspect'],
      management: ['fake'],
      network: ['noop', 'flat', 'neutron'],
      power: ['fake'],
      raid: ['fake', 'no-raid', 'agent'],
      rescue: ['fake', 'agent', 'no-rescue'],
      storage: ['noop', 'fake', 'cinder', 'external'],
      vendor: ['fake', 'no-vendor'],
    },
    properties: Object.fromEntries(
      fakeDelays.map((kind) => [
        `fake_${kind}_delay`,
        `Seconds that a ${kind} action takes: a number, or "min,max" of which one is drawn. Default: as the appliance is configured.`,
      ]),
    ),
    required: [],
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
  if (!type)
    return `No valid host was found. Reason: No conductor service registered which supports driver ${driver}: it is unknown. There is ${drivers.join(', ')}.`
  const resolved: Partial<Interfaces> = {}
  for (const kind of interfaceKinds) {
    const name = asked[`${kind}_interface`] ?? type.interfaces[kind][0]
    if (!type.interfaces[kind].includes(name))
      return `Could not find the following interface in the 'ironic.hardware.interfaces.${kind}' entrypoint: ${name}. Valid interfaces are [${type.interfaces[kind].map((each) => `'${each}'`).join(', ')}].`
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
  const wrong = settings[driver as Driver].safeParse(info).error?.issues[0]
  return wrong && `${wrong.path.join('.')}: ${wrong.message}`
}

/** What is wrong with driver_info for the console, or undefined. IPMI's is had also where the rest is driven by Redfish. */
export function checkConsole(implementation: string | null, info: Record<string, unknown>): Check {
  if (!implementation?.startsWith('ipmitool')) return undefined
  if (info['ipmi_protocol_version'] === '1.5') return 'ipmi_protocol_version: IPMI 1.5 has no serial over LAN.'
  return checkDriverInfo('ipmi', info)
}

const fakeSettings = z.object(Object.fromEntries(fakeDelays.map((kind) => [`fake_${kind}_delay`, fakeDelay.nullish()])))

const redfishSettings = z.object({
  redfish_address: z
    .string('an address is the URL of a BMC')
    .refine(
      (given) => /^https?:$/.test(URL.parse(withScheme(given))?.protocol ?? ''),
      'an address is the URL of a BMC, http or https',
    ),
  redfish_system_id: z.string('a system id is a text').nullish(),
  redfish_verify_ca: z.union([z.boolean(), z.string()], 'true, false or a path on the appliance').nullish(),
  redfish_certificate_fingerprint: z
    .string()
    .regex(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, 'a fingerprint is a SHA-256 in hexadecimal')
    .nullish(),
  redfish_console: z.enum(['auto', 'ssh', 'ipmi'], 'auto, ssh or ipmi').nullish(),
  redfish_console_command: z
    .string('a command is a text')
    .max(255)
    .regex(/^[\x20-\x7e]*$/, 'a command is printable ASCII')
    .nullish(),
  redfish_ssh_port: z.coerce.number('a port is a number').int().min(1).max(65_535).nullish(),
  redfish_ssh_fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'a fingerprint is as ssh-keygen -lf prints it: SHA256:…')
    .nullish(),
  redfish_auth_type: z.enum(['basic', 'session', 'auto'], 'basic, session or auto').nullish(),
  redfish_tls_minimum_version: z.union([z.literal(['1.1', '1.2', '1.3', 1.1, 1.2, 1.3])], '1.1, 1.2 or 1.3').nullish(),
  redfish_tls_ciphers: z.string('cipher suites are a text').nullish(),
})

function withScheme(address: string): string {
  return address.includes('://') ? address : `https://${address}`
}

const settings: Record<Driver, z.ZodType> = {
  ipmi: ipmiSettings,
  'intel-ipmi': ipmiSettings,
  redfish: redfishSettings,
  idrac: redfishSettings,
  'manual-management': z.object({}),
  'fake-hardware': fakeSettings,
}
