import { z } from 'zod'
import { accountWish } from './bmc-settings.ts'
import { certificateNames, type MediaDevice, type StepName } from './step-arguments.ts'
import { subscription, subscriptionId } from './subscription.ts'

/** Methods of vendor interfaces, as the API lists them. */
export interface VendorMethod {
  async: boolean
  attach: boolean
  description: string
  http_methods: readonly string[]
  require_exclusive_lock: boolean
}

/** What a method does: the fake ones compare the argument `bar` with a word, the others are a step of the site, whose arguments
 * may have other names there. */
export type VendorStep = { step: StepName; asked?: z.ZodType<Record<string, unknown>> }
/** Whose answer is the reply. `asked` refuses in sentences that are Ironic's; its result, sealed to the site, is the step's argument of that
 * name where one is given. */
export type VendorQuestion = { asks: StepName; asked: z.ZodType<Record<string, unknown>>; sealedAs?: string }
type Does = { word: string } | VendorStep | VendorQuestion

const method = (description: string, more: Partial<VendorMethod> = {}): VendorMethod => ({
  async: true,
  attach: false,
  description,
  http_methods: ['POST'],
  require_exclusive_lock: true,
  ...more,
})

const drives = { cd: 'cdrom', dvd: 'cdrom', usb: 'disk', floppy: 'floppy' } as const satisfies Record<
  string,
  MediaDevice
>

const ejection = z
  .strictObject({ boot_device: z.enum(Object.keys(drives) as (keyof typeof drives)[]).nullish() })
  .transform(({ boot_device: drive }) => ({ device_types: drive ? [drives[drive]] : null }))

const question = (description: string, verb: string, does: VendorQuestion) => ({
  facts: method(description, { async: false, http_methods: [verb] }),
  does,
})

const none = z.strictObject({}, 'the method takes no arguments')

const users = {
  get_users: question('List the users of the BMC: their names, whether they may log in, and their privilege.', 'GET', {
    asks: 'vendor.get_users',
    asked: none,
  }),
  set_user: question(
    "Make or change a user of the BMC. Required argument: 'name'; and at least one of 'password', 'privilege' (administrator, operator, user, none), 'enabled' (Boolean).",
    'POST',
    { asks: 'vendor.set_user', asked: accountWish, sealedAs: 'wish' },
  ),
}

const redfish = {
  create_subscription: question(
    "Create an event subscription on the BMC. Required argument: 'Destination' - a URL; optional: 'Protocol', 'Context', 'EventTypes', 'HttpHeaders'.",
    'POST',
    { asks: 'vendor.create_subscription', asked: subscription, sealedAs: 'wish' },
  ),
  delete_subscription: question(
    "Delete an event subscription of the BMC. Required argument: 'id' - the BMC's for it.",
    'DELETE',
    { asks: 'vendor.delete_subscription', asked: subscriptionId },
  ),
  get_subscription: question(
    "Show an event subscription of the BMC. Required argument: 'id' - the BMC's for it.",
    'GET',
    { asks: 'vendor.get_subscription', asked: subscriptionId },
  ),
  get_all_subscriptions: question('List the event subscriptions of the BMC.', 'GET', {
    asks: 'vendor.get_all_subscriptions',
    asked: z.object({}),
  }),
  generate_csr: question(
    "Have the BMC make a new key, and reply its request for a certificate. Optional arguments: 'common_name', 'alternative_names'.",
    'POST',
    { asks: 'vendor.generate_csr', asked: z.strictObject(certificateNames) },
  ),
  ...users,
  get_boot_options: question("Show the firmware's boot options and their order.", 'GET', {
    asks: 'vendor.get_boot_options',
    asked: none,
  }),
  set_boot_order: {
    facts: method(
      "Change the firmware's boot order, from the next start. Required argument: 'order' - a list of references, such as Boot0003, first to last.",
    ),
    does: { step: 'management.set_boot_order' },
  },
  eject_vmedia: {
    facts: method(
      "Eject a virtual media device. Optional argument: 'boot_device' - cd, dvd, usb or floppy; without it all are ejected.",
    ),
    does: { step: 'management.detach_virtual_media', asked: ejection },
  },
} as const

export const vendorMethods: Readonly<Record<string, Readonly<Record<string, { facts: VendorMethod; does: Does }>>>> = {
  ipmitool: {
    ...users,
    get_lan_configuration: question("Show the BMC's own network configuration.", 'GET', {
      asks: 'vendor.get_lan_configuration',
      asked: none,
    }),
    set_lan_configuration: {
      facts: method(
        "Change the BMC's own network configuration; driver_info stays as it is. Arguments, at least one: 'source' - static or dhcp; 'address', 'mask', 'gateway'; 'vlan' - a number, or null for none.",
      ),
      does: { step: 'management.set_lan_configuration' },
    },
    get_watchdog: question("Show the BMC's watchdog of the machine.", 'GET', {
      asks: 'vendor.get_watchdog',
      asked: none,
    }),
    set_watchdog: {
      facts: method(
        "Set the BMC's watchdog of the machine. Required argument: 'running' (Boolean); optional: 'timeout' - seconds; 'action' - none, reset, off or cycle.",
      ),
      does: { step: 'management.set_watchdog' },
    },
    send_raw: {
      facts: method(
        "Send raw bytes to the BMC. Required argument: 'raw_bytes' - a string of them, network function and command first.",
      ),
      does: { step: 'vendor.send_raw' },
    },
    bmc_reset: {
      facts: method("Reset the BMC. Optional argument: 'warm' (Boolean) - warm (True, the default) or cold (False)."),
      does: { step: 'vendor.bmc_reset' },
    },
  },
  redfish,
  'idrac-redfish': redfish,
  fake: {
    second_method: { facts: method('Test if the value of bar is kazoo'), does: { word: 'kazoo' } },
    third_method_sync: {
      facts: method('Test if the value of bar is meow', { async: false }),
      does: { word: 'meow' },
    },
    fourth_method_shared_lock: {
      facts: method('Test if the value of bar is woof', { require_exclusive_lock: false }),
      does: { word: 'woof' },
    },
  },
}
