import { HOLD_SECONDS, type StepName } from './step-arguments.ts'
import type { PlanKind } from './plan.ts'

/** What there is to know of each step, wherever it runs: who has it, how long it may take, who may ask for it. */

export interface StepFacts {
  /** As Ironic shows it in deploy_step and clean_step, for those of its own steps. */
  priority: number
  deadline_seconds: number
  /** A machine has to come up or to work by itself meanwhile. */
  waits: boolean
  /** Operations that people may name this step in, beside the reserved names. */
  requestable: readonly PlanKind[]
  /** Of its interface, those that have it; undefined: whichever. */
  implementations?: readonly string[]
  /** The machine is restarted for it, so that no ramdisk outlives it. */
  restarts?: boolean
  /** The agent of the ramdisk does it whatever the interface, unless the deploy interface is fake. */
  inBand: boolean
}

const step = (priority: number, deadline_seconds: number, more: Partial<StepFacts> = {}): StepFacts => ({
  priority,
  deadline_seconds,
  waits: false,
  requestable: [],
  inBand: false,
  ...more,
})
/** Whatever speaks Redfish, by the names of its interfaces. */
const redfish = ['redfish', 'idrac-redfish']
const ipmi = ['ipmitool', 'intel-ipmitool']
const anyBmc = [...redfish, ...ipmi]

/** As long as somebody wants it to take. */
const burnIn = step(0, 14 * 86_400, { waits: true, requestable: ['clean', 'service'], inBand: true })

const asked: Partial<StepFacts> = { requestable: ['clean', 'deploy', 'service'] }
/** Some controllers of iDRACs do it at a restart. */
const raid = step(0, 7200, { ...asked, implementations: ['fake', 'agent', ...redfish], restarts: true })

export const steps = {
  'plan.hold': step(0, HOLD_SECONDS),
  'plan.wait': step(0, 3660, { waits: true }),
  'plan.on_node': step(0, 3660),
  'plan.agent_step': step(0, 4 * 3600, { waits: true, inBand: true }),
  'network.plug': step(0, 300),
  'network.plug_trunk': step(0, 300),
  'power.validate': step(0, 120),
  'power.power_on': step(0, 180),
  'power.power_off': step(0, 180),
  'power.reset': step(0, 180),
  'power.set_power_state': step(0, 180),
  'management.set_boot_device': step(0, 120),
  'management.inject_nmi': step(0, 120),
  'management.set_boot_mode': step(0, 180),
  'management.set_secure_boot': step(0, 180),
  'management.set_indicator': step(0, 120),
  'management.attach_virtual_media': step(0, 300),
  'management.detach_virtual_media': step(0, 300),
  'management.read_hardware': step(0, 300),
  'management.read_sensors': step(0, 180),
  'boot.prepare_ramdisk': step(0, 180),
  'boot.clean_up_ramdisk': step(0, 120),
  'boot.prepare_instance': step(30, 180),
  /** The site fetches its files meanwhile. */
  'boot.prepare_instance_volume': step(0, 180),
  'boot.prepare_instance_ramdisk': step(30, 3600),
  'boot.prepare_installer': step(100, 3600),
  'deploy.await_installer': step(100, 4 * 3600, { waits: true }),
  'deploy.boot_ramdisk': step(0, 600),
  'deploy.execute_bootc_install': step(80, 2 * 3600, { waits: true }),
  'deploy.start_agent': step(100, 900, { waits: true }),
  'deploy.write_image': step(80, 3600, { waits: true }),
  'deploy.prepare_instance_boot': step(60, 300),
  'deploy.tear_down_agent': step(40, 300),
  'deploy.boot_instance': step(20, 180),
  'deploy.kexec_instance': step(20, 900),
  'deploy.erase_devices_metadata': step(99, 900, { waits: true, requestable: ['clean'], inBand: true }),
  /** Ironic's priority is 10: hours for each tear-down that nobody asked for. Here it takes `erase_devices_priority`. */
  'deploy.erase_devices': step(0, 3 * 86_400, { waits: true, requestable: ['clean'], inBand: true }),
  'deploy.erase_devices_express': step(0, 1800, { waits: true, requestable: ['clean'], inBand: true }),
  'deploy.erase_pstore': step(0, 300, { waits: true, requestable: ['clean'], inBand: true }),
  'deploy.clean_uefi_nvram': step(0, 600, { waits: true, requestable: ['clean', 'deploy'], inBand: true }),
  'deploy.inject_files': step(0, 1800, { waits: true, requestable: ['deploy', 'service'], inBand: true }),
  'deploy.burnin_cpu': burnIn,
  'deploy.burnin_memory': burnIn,
  'deploy.burnin_disk': { ...burnIn, requestable: ['clean'] },
  'deploy.burnin_network': burnIn,
  'deploy.deploy': step(100, 3660, { implementations: ['fake', 'noop'] }),
  'deploy.take_over': step(0, 120),
  'inspect.inspect_hardware': step(0, 3660, { waits: true }),
  'rescue.finalize_rescue': step(0, 3660),
  'management.reset_bmc': step(0, 900, { ...asked, implementations: anyBmc }),
  'management.set_bmc_clock': step(0, 120, { ...asked, implementations: anyBmc }),
  'management.clear_event_log': step(0, 180, { ...asked, implementations: anyBmc }),
  'management.set_bmc_ntp': step(0, 120, { ...asked, implementations: redfish }),
  'management.verify_bmc_clock': step(1, 180, { implementations: redfish }),
  'management.set_boot_order': step(0, 180, { ...asked, implementations: redfish }),
  'management.set_lan_configuration': step(0, 180, { ...asked, implementations: ipmi }),
  'management.set_watchdog': step(0, 120, { ...asked, implementations: ipmi }),
  'management.enroll_secure_boot_keys': step(0, 300, { ...asked, implementations: redfish }),
  'management.install_boot_certificates': step(0, 300, { ...asked, implementations: redfish }),
  'management.install_bmc_certificate': step(0, 600, { ...asked, implementations: redfish }),
  'management.renew_bmc_certificate': step(0, 600, { ...asked, implementations: redfish }),
  'management.reset_secure_boot_keys_to_default': step(0, 180, { ...asked, implementations: redfish }),
  'management.clear_secure_boot_keys': step(0, 180, { ...asked, implementations: redfish }),
  'management.rotate_bmc_password': step(0, 300, { requestable: ['clean', 'service'], implementations: anyBmc }),
  'management.report_drift': step(0, 300, { requestable: ['clean', 'service'], implementations: anyBmc }),
  'management.configure_intel_speedselect': step(0, 180, {
    requestable: ['deploy'],
    implementations: ['intel-ipmitool'],
  }),
  'management.clear_job_queue': step(0, 180, { ...asked, implementations: ['idrac-redfish'] }),
  'management.reset_idrac': step(0, 900, { ...asked, implementations: ['idrac-redfish'] }),
  'management.export_configuration': step(0, 1800, { ...asked, implementations: ['idrac-redfish'] }),
  'management.import_configuration': step(0, 7200, {
    ...asked,
    implementations: ['idrac-redfish'],
    restarts: true,
  }),
  'management.import_export_configuration': step(0, 7200, {
    ...asked,
    implementations: ['idrac-redfish'],
    restarts: true,
  }),
  'management.update_firmware': step(0, 4 * 3600, { ...asked, implementations: redfish, restarts: true }),
  'management.known_good_state': step(0, 900, { ...asked, implementations: ['idrac-redfish'] }),
  'vendor.send_raw': step(0, 120, { ...asked, implementations: ipmi }),
  'vendor.bmc_reset': step(0, 900, { ...asked, implementations: ipmi }),
  'vendor.create_subscription': step(0, 120, { implementations: redfish }),
  'vendor.delete_subscription': step(0, 120, { implementations: redfish }),
  'vendor.get_subscription': step(0, 120, { implementations: redfish }),
  'vendor.generate_csr': step(0, 180, { implementations: redfish }),
  'vendor.get_all_subscriptions': step(0, 120, { implementations: redfish }),
  'vendor.get_boot_options': step(0, 120, { implementations: redfish }),
  'vendor.get_lan_configuration': step(0, 120, { implementations: ipmi }),
  'vendor.get_watchdog': step(0, 120, { implementations: ipmi }),
  'vendor.get_users': step(0, 120, { implementations: anyBmc }),
  'vendor.set_user': step(0, 120, { implementations: anyBmc }),
  'bios.apply_configuration': step(0, 3660, { ...asked, implementations: ['fake', ...redfish], restarts: true }),
  'bios.factory_reset': step(0, 3660, { ...asked, implementations: ['fake', ...redfish], restarts: true }),
  'raid.create_configuration': raid,
  'raid.delete_configuration': raid,
  'raid.apply_configuration': raid,
  'firmware.update': step(0, 4 * 3600, { ...asked, implementations: ['fake', ...redfish], restarts: true }),
} as const satisfies Record<StepName, StepFacts>
