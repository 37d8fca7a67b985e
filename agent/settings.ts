import { isIP } from 'node:net'
import { z } from 'zod'
import { agentPort, mac } from '../contract/agent.ts'

/** What the kernel command line tells us, under the names that ironic-python-agent gave them. */
export interface Settings {
  apiUrls: string[]
  /** The interface that the firmware booted from. */
  bootMac?: string
  token?: string
  /** Sets the clock; otherwise the site's answers do. */
  ntpServer?: string
  /** Where this machine is inspected: what it consists of is told there before anything else. */
  inspectionUrl?: string
  /** Seconds to listen for what switches say of themselves, when the machine is inspected; undefined: not at all. */
  lldpSeconds?: number
  listenHost: string
  listenPort: number
  advertiseHost?: string
  lookupSeconds: number
  lookupInterval: number
  addressAttempts: number
  addressInterval: number
  diskAttempts: number
  diskInterval: number
  requestSeconds: number
  imageSeconds: number
  imageRetries: number
  imageRetryInterval: number
  insecure: boolean
  debug: boolean
}

const truth = z
  .string()
  .default('false')
  .transform((value) => ['', '1', 'true', 'yes', 'on'].includes(value.toLowerCase()))
const count = (fallback: number) => z.coerce.number().int().min(0).max(1_000_000).default(fallback)
const seconds = (fallback: number) => z.coerce.number().min(0).max(86_400).default(fallback)

const schema = z.object({
  'ipa-api-url': z
    .string()
    .max(2048)
    .default('')
    .transform((list) => list.split(',').filter((url) => url !== ''))
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform(baseOf)).max(16)),
  // PXELINUX and iPXE put the hardware type, 01 for Ethernet, before the address.
  BOOTIF: z
    .string()
    .transform((value) => value.replace(/^01-(?=([0-9a-f]{2}-){5})/i, ''))
    .pipe(mac)
    .optional()
    .catch(undefined),
  'ipa-agent-token': z.string().min(32).max(512).optional(),
  'ipa-ntp-server': z
    .string()
    .regex(/^[\w.:-]{1,253}$/)
    .optional(),
  'ipa-collect-lldp': truth,
  'ipa-lldp-timeout': seconds(30),
  'ipa-inspection-callback-url': z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  'ipa-listen-host': z
    .string()
    .refine((host) => isIP(host) !== 0, 'not an address')
    .default('::'),
  'ipa-listen-port': z.coerce.number().int().min(0).max(65_535).default(agentPort),
  'ipa-advertise-host': z
    .string()
    .refine((host) => isIP(host) !== 0, 'not an address')
    .optional(),
  'ipa-lookup-timeout': seconds(600),
  'ipa-lookup-interval': seconds(1),
  'ipa-ip-lookup-attempts': count(6),
  'ipa-ip-lookup-timeout': seconds(10),
  'ipa-disk-wait-attempts': count(10),
  'ipa-disk-wait-delay': seconds(3),
  'ipa-http-request-timeout': seconds(30),
  'ipa-image-download-connection-timeout': seconds(60),
  'ipa-image-download-connection-retries': count(9),
  'ipa-image-download-connection-retry-interval': seconds(10),
  'ipa-insecure': truth,
  'ipa-debug': truth,
})

export function readSettings(commandLine: string): Settings {
  const parsed = schema.safeParse(kernelArguments(commandLine))
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path[0]?.toString()}: ${issue.message}`)
    throw new Error(`the kernel command line is not usable: ${faults.join('; ')}`)
  }
  const given = parsed.data
  return {
    apiUrls: given['ipa-api-url'],
    bootMac: given.BOOTIF,
    token: given['ipa-agent-token'],
    ntpServer: given['ipa-ntp-server'],
    inspectionUrl: given['ipa-inspection-callback-url'],
    lldpSeconds: given['ipa-collect-lldp'] ? given['ipa-lldp-timeout'] : undefined,
    listenHost: given['ipa-listen-host'],
    listenPort: given['ipa-listen-port'],
    advertiseHost: given['ipa-advertise-host'],
    lookupSeconds: given['ipa-lookup-timeout'],
    lookupInterval: given['ipa-lookup-interval'],
    addressAttempts: given['ipa-ip-lookup-attempts'],
    addressInterval: given['ipa-ip-lookup-timeout'],
    diskAttempts: given['ipa-disk-wait-attempts'],
    diskInterval: given['ipa-disk-wait-delay'],
    requestSeconds: given['ipa-http-request-timeout'],
    imageSeconds: given['ipa-image-download-connection-timeout'],
    imageRetries: given['ipa-image-download-connection-retries'],
    imageRetryInterval: given['ipa-image-download-connection-retry-interval'],
    insecure: given['ipa-insecure'],
    debug: given['ipa-debug'],
  }
}

/** `key=value` words; a word without a value is the empty string; the last of several wins, as in the kernel. */
export function kernelArguments(commandLine: string): Record<string, string> {
  const words = commandLine.match(/(?:[^\s"]|"[^"]*")+/g) ?? []
  return Object.fromEntries(
    words.map((word) => {
      const [key = '', ...value] = word.replaceAll('"', '').split('=')
      return [key, value.join('=')]
    }),
  )
}

/** People write the API's address with or without its version. */
function baseOf(url: string): string {
  return url.replace(/\/+(v1\/*)?$/, '')
}
