import type { z } from 'zod'
import { type Step, stepName } from './plan.ts'
import type { StepName, stepArguments } from './step-arguments.ts'
import type { WantedImage } from './plan-sources.ts'

/** What each step of a plan will do, for people who ask before it does. One line each: a new step without one doesn't compile. */

type Sentences = { [K in StepName]: string | ((args: z.infer<(typeof stepArguments)[K]>) => string) }

const sentences: Sentences = {
  'plan.hold': 'Waits until somebody says unhold.',
  'plan.wait': ({ seconds }) => `Waits ${seconds} seconds.`,
  'plan.on_node': ({ node, ...what }) => `On node ${node}: ${stepSentence(what)}`,
  'plan.agent_step': ({ interface: kind, step }) => `Has the ramdisk's agent do its own step ${kind}.${step}.`,
  'network.plug': ({ connections }) =>
    `Moves ${connections.map(({ switch: name, port, vlan }) => `port ${port} of switch ${name} to VLAN ${vlan}`).join(', ')}.`,
  'network.plug_trunk': ({ connections }) =>
    `Gives ${connections.map(({ switch: name, port, vlan, tagged }) => `port ${port} of switch ${name} VLAN ${vlan}${tagged.length > 0 ? `, and with tags ${tagged.join(', ')}` : ''}`).join('; ')}.`,
  'power.validate':
    "Asks the BMC for the machine's power state, to see that it can be reached with the credentials given.",
  'power.power_on': 'Switches the machine on.',
  'power.power_off': 'Switches the machine off.',
  'power.reset': 'Resets the machine without switching it off.',
  'power.set_power_state': ({ target }) => `Brings the machine to '${target}'.`,
  'management.set_boot_device': ({ device, persistent }) =>
    `Sets the boot device to ${device}, ${persistent ? 'for every start' : 'for the next start'}.`,
  'management.inject_nmi': 'Sends the machine a non-maskable interrupt.',
  'management.set_boot_mode': ({ mode }) =>
    `Has the firmware boot by ${mode === 'uefi' ? 'UEFI' : 'BIOS'} from its next start.`,
  'management.set_secure_boot': ({ enabled }) => `Switches Secure Boot ${enabled ? 'on' : 'off'}, from the next start.`,
  'management.set_indicator': ({ component, indicator, state }) =>
    `Sets the light ${indicator} of the ${component} to ${state}.`,
  'management.attach_virtual_media': ({ device_type: device }) => `Puts an image into the BMC's virtual ${device}.`,
  'management.detach_virtual_media': ({ device_types: devices }) =>
    `Takes the image out of ${!devices ? "all of the BMC's virtual media" : `the BMC's virtual ${devices.join(', ')}`}.`,
  'management.read_hardware': 'Reads settings and versions from the BMC; nothing is changed.',
  'management.read_sensors': "Reads the BMC's sensors; nothing is changed.",
  'management.clear_event_log': 'Empties the event log of the BMC.',
  'vendor.send_raw': 'Sends the BMC a raw IPMI command, whatever that does.',
  'vendor.bmc_reset': ({ warm }) => `Restarts the BMC ${warm ? 'warm' : 'cold'}; the machine goes on.`,
  'management.reset_bmc': 'Restarts the BMC; the machine goes on.',
  'management.set_bmc_clock': "Sets the BMC's clock.",
  'management.set_bmc_ntp': 'Has the BMC take its time from other NTP servers, or from none.',
  'management.verify_bmc_clock': "Compares the BMC's clock with the site's, and sets it where it is wrong.",
  'management.set_boot_order': "Puts the firmware's boot options into another order, from the next start.",
  'management.set_lan_configuration':
    "Changes the BMC's own address, mask, gateway or VLAN; driver_info stays as it is.",
  'management.set_watchdog': ({ running }) =>
    running ? "Sets and starts the BMC's watchdog of the machine." : "Stops the BMC's watchdog of the machine.",
  'management.enroll_secure_boot_keys': "Adds keys to Secure Boot's databases.",
  'management.install_boot_certificates': 'Gives the firmware certificates to trust when it boots by HTTPS.',
  'management.install_bmc_certificate': "Puts a certificate in place of that of the BMC's HTTPS.",
  'management.renew_bmc_certificate': ({ days }) =>
    `Has the BMC make a new key, and gives it a certificate of the site's authority for ${days} days.`,
  'management.reset_secure_boot_keys_to_default': "Puts Secure Boot's keys back to what the factory gave it.",
  'management.clear_secure_boot_keys': "Deletes all of Secure Boot's keys.",
  'management.rotate_bmc_password': 'Gives the BMC user a new password, which only the site can open.',
  'management.report_drift': 'Compares firmware, BIOS and BMC users with properties/baseline; nothing is changed.',
  'management.configure_intel_speedselect': ({ intel_speedselect_config: level, socket_count: sockets }) =>
    `Sets Intel Speed Select of ${sockets} processor${sockets === 1 ? '' : 's'} to configuration ${level}, from the next start.`,
  'management.clear_job_queue': "Deletes all jobs of the iDRAC's queue.",
  'management.reset_idrac': 'Restarts the iDRAC; the machine goes on.',
  'management.export_configuration': 'Stores all settings of the machine and its BMC at a URL.',
  'management.import_configuration':
    'Restarts the machine to give it and its BMC the settings that are stored at a URL.',
  'management.import_export_configuration':
    'Restarts the machine to give it and its BMC the settings that are stored at a URL, and stores what they are then at another.',
  'management.update_firmware': ({ firmware_images: images }) =>
    `Updates firmware from ${images.length} image${images.length === 1 ? '' : 's'}, each checked, and restarts the machine after each.`,
  'management.known_good_state': 'Restarts the iDRAC and deletes all of its jobs, also those that run.',
  'boot.prepare_ramdisk': 'Has the machine boot the ramdisk over the network at its next start.',
  'boot.clean_up_ramdisk': 'Stops serving the ramdisk to the machine.',
  'boot.prepare_instance': 'Sets the disk as the boot device.',
  'boot.prepare_instance_volume': 'Has the machine find its volumes over the network at every start.',
  'boot.prepare_instance_ramdisk': ({ files }) =>
    `Fetches ${'boot_iso' in files ? 'the ISO' : 'the kernel and ramdisk'} of the instance to the site, for the machine to boot at every start.`,
  'boot.prepare_installer': ({ template }) =>
    `Fetches an installer to the site, for the machine to boot once, with ${template ? `the kickstart of ${template.url}` : "the site's own kickstart"}.`,
  'deploy.execute_bootc_install': ({ image }) =>
    `Runs bootc of the container ${image.name}, which installs that over the root disk.`,
  'deploy.await_installer': 'Waits for the installer to say that the system is on the disk.',
  'deploy.boot_ramdisk':
    'Has the machine boot the ramdisk over the network, unless the agent of the operation before is still there.',
  'deploy.start_agent': 'Waits for the agent in the ramdisk to report.',
  'deploy.write_image': ({ image, config_drive: drive, partitions, container }) =>
    `${container ? 'Runs bootc of the image, where that is a container that boots; else writes' : 'Writes'} ${imageText(image)} ${partitions ? 'to a partition of' : 'over'} the root disk, checked against ${checkedBy(image)}${drive ? ', with a config drive' : ''}.`,
  'deploy.prepare_instance_boot': 'Makes the written disk bootable by the firmware.',
  'deploy.tear_down_agent': 'Ends the agent and shuts the ramdisk down.',
  'deploy.boot_instance': 'Starts the machine from its disk.',
  'deploy.kexec_instance':
    'Has the ramdisk start the kernel on the disk by kexec; where that fails, starts the machine from its disk.',
  'deploy.erase_devices_metadata': 'Erases partition tables and signatures from every disk: what they hold is lost.',
  'deploy.erase_devices':
    'Erases every disk in full, by its own secure erase or by overwriting it, which can take hours: nothing can be read again.',
  'deploy.erase_devices_express':
    'Erases what takes seconds: NVMe disks by forgetting their key, of the others partition tables and signatures.',
  'deploy.erase_pstore': "Erases the crash records that kernels left in the firmware's memory.",
  'deploy.clean_uefi_nvram': ({ match_patterns: patterns }) =>
    `Removes the firmware's boot entries ${patterns ? `that match ${patterns.join(' or ')}` : 'that lead to disks'}.`,
  'deploy.inject_files': ({ files }) =>
    `Changes files of the system on the disk: ${files.map(({ path, deleted }) => (deleted ? `${path} goes` : path)).join(', ')}.`,
  'deploy.burnin_cpu': 'Keeps the processors busy, for as long as driver_info says, and sees that they compute right.',
  'deploy.burnin_memory': 'Writes and reads memory, for as long as driver_info says.',
  'deploy.burnin_disk': 'Writes and reads every byte of every disk; what was on them is lost.',
  'deploy.burnin_network': 'Sends data to and fro between this machine and the partner that driver_info names.',
  'deploy.deploy': 'Counts the machine as deployed; nothing of it is changed.',
  'deploy.take_over': 'Takes the running machine over as it is; nothing of it is changed.',
  'inspect.inspect_hardware': 'Reads what the machine is made of.',
  'rescue.finalize_rescue': 'Sets the rescue password in the running ramdisk.',
  'vendor.create_subscription': 'Has the BMC send its events to somebody.',
  'vendor.delete_subscription': ({ id }) => `Ends the BMC's event subscription ${id}.`,
  'vendor.get_subscription': ({ id }) => `Reads the BMC's event subscription ${id}; nothing is changed.`,
  'vendor.generate_csr': 'Has the BMC make a new key and a request for its certificate.',
  'vendor.get_boot_options': "Reads the firmware's boot options and their order; nothing is changed.",
  'vendor.get_lan_configuration': "Reads the BMC's own network configuration; nothing is changed.",
  'vendor.get_watchdog': "Reads the BMC's watchdog of the machine; nothing is changed.",
  'vendor.get_users': "Lists the BMC's users; nothing is changed.",
  'vendor.set_user': 'Makes or changes a user of the BMC.',
  'vendor.get_all_subscriptions': "Lists the BMC's event subscriptions; nothing is changed.",
  'bios.apply_configuration': ({ settings }) => `Sets ${listed(settings.map(({ name }) => name))} in the BIOS.`,
  'bios.factory_reset': 'Puts every BIOS setting back to what the factory gave it.',
  'raid.create_configuration': "Makes the volumes of the node's target_raid_config.",
  'raid.delete_configuration': 'Deletes every RAID volume: what they hold is lost.',
  'raid.apply_configuration': ({ delete_existing: deletes }) =>
    deletes
      ? 'Deletes every RAID volume, with what they hold, and makes those of the step.'
      : 'Makes the RAID volumes of the step.',
  'firmware.update': ({ settings }) => `Updates the firmware of ${listed(settings.map(({ component }) => component))}.`,
}

export function stepSentence(step: Pick<Step, 'interface' | 'step' | 'args'>): string {
  const name = stepName(step)
  if (!Object.hasOwn(sentences, name)) return `Does ${name}.`
  const sentence = sentences[name as StepName] as string | ((args: unknown) => string)
  return typeof sentence === 'string' ? sentence : sentence(step.args)
}

/** A URL may hold a key to it, and is not shown. */
function imageText(image: WantedImage): string {
  const { name } = image
  const what = /^https?:/i.test(name) ? 'the image of its URL' : `image ${name}`
  if ('place' in image) return what
  return `${what} (${image.disk_format}${image.size === null ? '' : `, ${(image.size / 2 ** 20).toFixed(0)} MiB`})`
}

function checkedBy(image: WantedImage): string {
  if ('os_hash_algo' in image) return `its ${image.os_hash_algo}`
  if (image.checksum === null) return image.place.kind === 'oci' ? "its registry's digest" : 'what it is at the site'
  return 'value' in image.checksum ? `its ${image.checksum.algorithm}` : 'its checksum file'
}

function listed(names: string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
}
