import type { StepName } from '../../../contract/step-arguments.ts'
import type { StepRunner } from '../step.ts'
import { applyConfiguration, factoryReset } from './bios.ts'
import {
  clearEventLog,
  configureSpeedSelect,
  clearJobQueue,
  clearSecureBootKeys,
  knownGoodState,
  resetBmc,
  resetBmcOverIpmi,
  resetIdrac,
  resetSecureBootKeys,
  sendRaw,
  setBmcClock,
  verifyBmcClock,
} from './bmc.ts'
import {
  getBootOptions,
  getLanConfiguration,
  getUsers,
  getWatchdog,
  setBootOrder,
  setLanConfiguration,
  setUser,
  setWatchdog,
} from './bmc-settings.ts'
import { generateCsr, installBmcCertificate, renewBmcCertificate } from './bmc-certificate.ts'
import { reportDrift } from './drift.ts'
import { prepareInstanceVolume } from './volume-boot.ts'
import { updateFirmware, updateFirmwareImages } from './firmware.ts'
import { exportConfiguration, importConfiguration, importExportConfiguration } from './idrac-configuration.ts'
import { applyRaid, createRaid, deleteRaid } from './raid.ts'
import { rotateBmcPassword } from './rotate-password.ts'
import { cleanUpRamdisk, prepareInstance, prepareRamdisk, setBootDevice, takeOver } from './boot.ts'
import { bootInstance, prepareInstanceBoot, startAgent, tearDownAgent, writeImage } from './deploy.ts'
import { executeBootcInstall } from './bootc.ts'
import { erase } from './erase.ts'
import { deployNothing } from './fake.ts'
import { agentStep } from './agent-step.ts'
import { bootRamdisk } from './fast-track.ts'
import { burnIn, inBand } from './in-band.ts'
import { inspectHardware } from './inspect.ts'
import { awaitInstaller, prepareInstaller } from './installer.ts'
import { prepareInstanceRamdisk } from './instance-ramdisk.ts'
import { kexecInstance } from './kexec.ts'
import {
  attachVirtualMedia,
  detachVirtualMedia,
  injectNmi,
  readHardware,
  readSensors,
  setBootMode,
  setIndicator,
  setSecureBoot,
} from './management.ts'
import { plug } from './network.ts'
import { hold, wait } from './plan.ts'
import { powerOff, powerOn, reset, setPowerState, validate } from './power.ts'
import { finalizeRescue } from './rescue.ts'
import { createSubscription, deleteSubscription, getAllSubscriptions, getSubscription } from './subscriptions.ts'
import { enrolSecureBootKeys, installBootCertificates, setBmcNtp } from './trust.ts'

/** Every step that contract/plan.ts names, but the one that stands for others; a forgotten one does not compile. */
export const steps: { [N in Exclude<StepName, 'plan.on_node'>]: StepRunner<N> } = {
  'plan.hold': hold,
  'plan.wait': wait,
  'plan.agent_step': agentStep,
  'network.plug': plug,
  'network.plug_trunk': plug,
  'power.validate': validate,
  'power.power_on': powerOn,
  'power.power_off': powerOff,
  'power.reset': reset,
  'power.set_power_state': setPowerState,
  'management.set_boot_device': setBootDevice,
  'management.inject_nmi': injectNmi,
  'management.set_boot_mode': setBootMode,
  'management.set_secure_boot': setSecureBoot,
  'management.set_indicator': setIndicator,
  'management.attach_virtual_media': attachVirtualMedia,
  'management.detach_virtual_media': detachVirtualMedia,
  'management.read_hardware': readHardware,
  'management.read_sensors': readSensors,
  'management.reset_bmc': resetBmc,
  'management.set_bmc_clock': setBmcClock,
  'management.clear_event_log': clearEventLog,
  'vendor.send_raw': sendRaw,
  'vendor.bmc_reset': resetBmcOverIpmi,
  'management.set_bmc_ntp': setBmcNtp,
  'management.verify_bmc_clock': verifyBmcClock,
  'management.set_boot_order': setBootOrder,
  'management.set_lan_configuration': setLanConfiguration,
  'management.set_watchdog': setWatchdog,
  'management.enroll_secure_boot_keys': enrolSecureBootKeys,
  'management.install_boot_certificates': installBootCertificates,
  'management.install_bmc_certificate': installBmcCertificate,
  'management.renew_bmc_certificate': renewBmcCertificate,
  'management.reset_secure_boot_keys_to_default': resetSecureBootKeys,
  'management.clear_secure_boot_keys': clearSecureBootKeys,
  'management.report_drift': reportDrift,
  'management.configure_intel_speedselect': configureSpeedSelect,
  'management.clear_job_queue': clearJobQueue,
  'management.reset_idrac': resetIdrac,
  'management.export_configuration': exportConfiguration,
  'management.import_configuration': importConfiguration,
  'management.import_export_configuration': importExportConfiguration,
  'management.update_firmware': updateFirmwareImages,
  'management.known_good_state': knownGoodState,
  'management.rotate_bmc_password': rotateBmcPassword,
  'boot.prepare_ramdisk': prepareRamdisk,
  'boot.clean_up_ramdisk': cleanUpRamdisk,
  'boot.prepare_instance': prepareInstance,
  'boot.prepare_instance_ramdisk': prepareInstanceRamdisk,
  'boot.prepare_instance_volume': prepareInstanceVolume,
  'boot.prepare_installer': prepareInstaller,
  'deploy.await_installer': awaitInstaller,
  'deploy.boot_ramdisk': bootRamdisk,
  'deploy.execute_bootc_install': executeBootcInstall,
  'deploy.start_agent': startAgent,
  'deploy.write_image': writeImage,
  'deploy.prepare_instance_boot': prepareInstanceBoot,
  'deploy.tear_down_agent': tearDownAgent,
  'deploy.boot_instance': bootInstance,
  'deploy.kexec_instance': kexecInstance,
  'deploy.erase_devices_metadata': erase('erase_devices_metadata', 'erasing metadata of all disks'),
  'deploy.erase_devices': erase('erase_devices', 'erasing all disks'),
  'deploy.erase_devices_express': erase('erase_devices_express', 'erasing all disks, as fast as they can'),
  'deploy.erase_pstore': inBand('clean', 'erase_pstore', 'erasing crash records'),
  'deploy.clean_uefi_nvram': inBand('clean', 'clean_uefi_nvram', 'removing boot entries'),
  'deploy.inject_files': inBand('deploy', 'inject_files', 'injecting files'),
  'deploy.burnin_cpu': burnIn('burnin_cpu', 'burning the processors in'),
  'deploy.burnin_memory': burnIn('burnin_memory', 'burning the memory in'),
  'deploy.burnin_disk': burnIn('burnin_disk', 'burning the disks in'),
  'deploy.burnin_network': burnIn('burnin_network', 'burning the network in'),
  'deploy.deploy': deployNothing,
  'deploy.take_over': takeOver,
  'inspect.inspect_hardware': inspectHardware,
  'rescue.finalize_rescue': finalizeRescue,
  'vendor.create_subscription': createSubscription,
  'vendor.delete_subscription': deleteSubscription,
  'vendor.get_subscription': getSubscription,
  'vendor.generate_csr': generateCsr,
  'vendor.get_boot_options': getBootOptions,
  'vendor.get_lan_configuration': getLanConfiguration,
  'vendor.get_watchdog': getWatchdog,
  'vendor.get_users': getUsers,
  'vendor.set_user': setUser,
  'vendor.get_all_subscriptions': getAllSubscriptions,
  'bios.apply_configuration': applyConfiguration,
  'bios.factory_reset': factoryReset,
  'raid.create_configuration': createRaid,
  'raid.delete_configuration': deleteRaid,
  'raid.apply_configuration': applyRaid,
  'firmware.update': updateFirmware,
}
