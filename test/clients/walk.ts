import type { ProvisionState } from '../../contract/provision.ts'

/** Every baremetal command of OpenStack's client, in an order that makes sense, and what Ironic answers with `fake-hardware`. The rows
 * were walked with Debian's Ironic 21.4 as well; where ours is meant to differ, the row says so. */

export interface Row {
  /** ENTRY stands for an entry of the history, GROUP for the port group's uuid, FILE for `file` below. */
  command: string
  /** What the client prints on success, or with its failure. */
  says?: RegExp
  fails?: RegExp
  /** Where the node comes to rest afterwards. */
  state?: ProvisionState
}

const CHASSIS = '00000000-0000-4000-8000-00000000000c'
const NODE = '00000000-0000-4000-8000-00000000000a'
const PORT = '00000000-0000-4000-8000-00000000000d'
const CONNECTOR = '00000000-0000-4000-8000-00000000000e'
const TARGET = '00000000-0000-4000-8000-00000000000f'
const VIF = '00000000-0000-4000-8000-000000000001'
const NOBODY = '00000000-0000-4000-8000-000000000002'

const ok = (command: string, says?: RegExp): Row => ({ command, says })
const no = (command: string, fails: RegExp): Row => ({ command, fails })
const verb = (command: string, state: ProvisionState): Row => ({ command: `node ${command} --wait 60`, state })
const shows = (field: string, says: RegExp): Row => ok(`node show n --fields ${field} -f value`, says)
const lacks = /does not support/
const steps = (...of: object[]): string => JSON.stringify(of)
const settings = [{ name: 'hyperthreading', value: 'on' }]

export const resources: Row[] = [
  ok(`chassis create --uuid ${CHASSIS} --description left`, /left/),
  ok(`chassis set ${CHASSIS} --description right --extra a=b`),
  ok(`chassis show ${CHASSIS}`, /right/),
  ok(`chassis unset ${CHASSIS} --description --extra a`),
  ok('chassis list --long', new RegExp(CHASSIS)),
  ok(`node create --driver fake-hardware --name n --uuid ${NODE} --chassis-uuid ${CHASSIS}`, /enroll/),
  ok('node list', /\bn\b.*enroll/),
  ok(`node list --chassis ${CHASSIS} --unassociated --no-maintenance --driver fake-hardware --long`, /\bn\b/),
  ok('node list --conductor-group elsewhere -f value', /^$/),
  ok('node list --limit 1 --sort name:desc --fields uuid name', /\bn\b/),
  ok('node set n --resource-class big --extra a=b --property cpu_arch=x86_64 --property capabilities=boot_mode:uefi'),
  ok('node set n --description words --owner somebody --lessee else --no-automated-clean'),
  ok('node list --owner somebody --lessee else --resource-class big', /\bn\b/),
  no('node list --description-contains ord', /unexpected keyword/), // 5.0.1 of the client doesn't know its own option
  ok('node unset n --extra a --description --owner --lessee --automated-clean'),
  ok(`node set n --target-raid-config {"logical_disks":[{"size_gb":100,"raid_level":"1"}]}`),
  shows('target_raid_config', /raid_level.*1/),
  ok('node unset n --target-raid-config'),
  ok('node set n --driver fake-hardware --reset-interfaces --vendor-interface fake'),
  no('node set n --driver none-such', /none-such/),
  no('node set n --boot-interface none-such', /none-such/),
  ok('node show n', /big/),
  no('node show none-such', /could not be found/),
  ok(
    'node create --driver ipmi --name m --driver-info ipmi_address=192.0.2.1 --driver-info ipmi_password=pa55',
    /\*{6}/,
  ),
  ok('node validate m -f csv', /"deploy","?False.*"power","?True/s),
  ok('node delete m', /Deleted/),
  no(`chassis delete ${CHASSIS}`, /contains nodes/),
  ok(`port create 52:54:00:00:00:01 --node ${NODE} --uuid ${PORT} --physical-network west`, /52:54/),
  no(`port create 52:54:00:00:00:01 --node ${NODE}`, /already exists/),
  no(`port set ${PORT} --local-link-connection switch_id=52:54:00:00:00:77`, /port_id/),
  ok(
    `port set ${PORT} --pxe-enabled --extra a=b --local-link-connection switch_id=52:54:00:00:00:77 --local-link-connection port_id=p1`,
  ),
  ok(`port unset ${PORT} --extra a --physical-network`),
  ok(`port show ${PORT}`, /52:54/),
  ok('port show --address 52:54:00:00:00:01', new RegExp(PORT)),
  ok('port list --node n --long', /52:54/),
  ok(`port group create --node ${NODE} --name bond --mode 802.3ad --property miimon=100`, /802\.3ad/),
  ok('port group set bond --address 52:54:00:00:00:99 --extra a=b'),
  ok('port group unset bond --address --extra a'),
  ok('port group show bond', /802\.3ad/),
  ok('port group list --node n', /bond/),
  ok(`port set ${PORT} --port-group GROUP`),
  no('port group delete bond', /contains ports|not empty|can't be deleted/i),
  ok(`port unset ${PORT} --port-group`),
  ok('port group delete bond', /Deleted/),
  ok(`volume connector create --node ${NODE} --type iqn --connector-id iqn.2026-11.t:a --uuid ${CONNECTOR}`, /iqn/),
  ok('volume connector list --node n', /iqn/),
  ok(`volume connector show ${CONNECTOR}`, /iqn/),
  no(`volume connector set ${CONNECTOR} --connector-id b`, /can not be performed/),
  ok(
    `volume target create --node ${NODE} --type iscsi --volume-id v --boot-index 0 --uuid ${TARGET} --property a=b`,
    /iscsi/,
  ),
  ok('volume target list --node n', /iscsi/),
  ok(`volume target show ${TARGET}`, /iscsi/),
  ok('node add trait n CUSTOM_A HW_CPU_X86_VMX', /Added/),
  ok('node trait list n', /CUSTOM_A/),
  ok('node remove trait n HW_CPU_X86_VMX', /Removed/),
  no('node remove trait n CUSTOM_NONE', /CUSTOM_NONE/),
]

export const machine: Row[] = [
  ok('node validate n', /power\s+\| True/),
  verb('manage n', 'manageable'),
  shows('power_state', /power off/), // Ironic's fake machines don't know
  ok(`volume connector set ${CONNECTOR} --connector-id b --extra a=b`),
  ok(`volume connector unset ${CONNECTOR} --extra a`),
  ok(`volume connector delete ${CONNECTOR}`, /Deleted/),
  ok(`volume target set ${TARGET} --volume-id w --extra a=b`),
  ok(`volume target unset ${TARGET} --extra a --property a`),
  ok(`volume target delete ${TARGET}`, /Deleted/),
  ok('node power on n --power-timeout 30'),
  shows('power_state', /power on/),
  ok('node power off n --soft'),
  shows('power_state', /power off/),
  ok('node reboot n --soft'),
  shows('power_state', /power on/),
  ok('node power off n'),
  ok('node boot device set n pxe --persistent'),
  ok('node boot device show n', /pxe/),
  ok('node boot device show n --supported', /pxe/),
  no('node boot device set n wanboot', /Invalid boot device/),
  // Ironic accepts these two, and says the same in last_error.
  no('node boot mode set n uefi', lacks),
  no('node secure boot on n', lacks),
  no('node secure boot off n', lacks),
  no('node inject nmi n', lacks),
  ok('node console enable n'),
  ok('node console show n', /console_enabled\s+\| True/),
  ok('node console disable n'),
  ok('node console show n', /console_enabled\s+\| False/),
  ok(`node vif attach n ${VIF}`),
  ok('node vif list n -f value', /^$/), // the network interface noop knows none
  ok(`node vif detach n ${VIF}`),
  ok('node passthru list n', /second_method/),
  ok('node passthru call n second_method --arg bar=kazoo'),
  no('node passthru call n third_method_sync --arg bar=meow', /'bool' object/), // answered `true`, which the client can't print
  no('node passthru call n second_method', /bar/),
  no('node passthru call n nothing', /No handler/),
  ok('node maintenance set n --reason dust'),
  ok('node list --maintenance', /\bn\b/),
  ok('node maintenance unset n'),
  shows('maintenance', /False/),
  verb('inspect n', 'manageable'),
  no('node clean n --clean-steps []', /clean_steps/),
  no(`node clean n --clean-steps ${steps({ interface: 'raid', step: 'none_such' })}`, /none_such/), // Ironic: clean failed
  verb(
    `clean n --clean-steps ${steps({ interface: 'bios', step: 'apply_configuration', args: { settings } })}`,
    'manageable',
  ),
  ok('node bios setting list n', /hyperthreading\s+\| on/),
  ok('node bios setting show n hyperthreading', /\bon\b/),
  verb(`clean n --clean-steps ${steps({ interface: 'bios', step: 'factory_reset' })}`, 'manageable'),
  no('node bios setting show n hyperthreading', /doesn't have a BIOS setting/),
  ok(`node clean n --clean-steps ${steps({ interface: 'deploy', step: 'hold' })}`),
  shows('provision_state', /clean hold/),
  { command: 'node abort n', state: 'clean failed' },
  verb('manage n', 'manageable'),
  ok('node maintenance unset n'),
  ok('node history list n', /verifying/), // Ironic's tells errors alone
  no(`node history get n ${NOBODY}`, /could not be found/),
  ok('node history get n ENTRY', /verifying/),
]

export const instance: Row[] = [
  verb('adopt n', 'active'),
  verb('rescue n --rescue-password secret', 'rescue'),
  verb('unrescue n', 'active'),
  verb('rebuild n --config-drive {"meta_data":{"hostname":"n"}}', 'active'),
  ok('node set n --protected --protected-reason mine'),
  no('node undeploy n', /protected/),
  no('node rebuild n', /protected/),
  ok('node unset n --protected'),
  no('node provide n', /can not be performed/),
  no('node unrescue n', /can not be performed/),
  no('node abort n', /can not be performed/),
  verb('undeploy n', 'available'),
  verb('manage n', 'manageable'),
  ok('node set n --retired --retired-reason old'),
  ok('node list --retired', /\bn\b/),
  no('node provide n', /retired/),
  ok('node unset n --retired'),
  verb('provide n', 'available'),
  no('node set n --retired', /available/),
  ok(
    `deploy template create CUSTOM_A --steps ${steps({ interface: 'bios', step: 'factory_reset', args: {}, priority: 150 })}`,
    /CUSTOM_A/,
  ),
  ok('deploy template set CUSTOM_A --extra a=b'),
  ok('deploy template unset CUSTOM_A --extra a'),
  ok('deploy template show CUSTOM_A', /factory_reset/),
  ok('deploy template list --long', /CUSTOM_A/),
  no('deploy template create lower --steps []', /lower|steps/),
  ok('allocation create --resource-class big --trait CUSTOM_A --name a --candidate-node n --wait 30', /\ba\b/),
  ok('allocation show a', /active/),
  ok('allocation set a --extra k=v --name b'),
  ok('allocation unset b --extra k'),
  ok('allocation list --state active --resource-class big', /active/),
  no('node deploy n --config-drive {"wrong":1}', /wrong|config/i),
  verb('deploy n --config-drive {"meta_data":{"hostname":"n"},"user_data":"#cloud-config"}', 'active'),
  shows('instance_info', /CUSTOM_A/),
  no('allocation delete b', /can not|cannot|active|associated/i),
  no('node delete n', /instance|associated|can not/i),
  verb('undeploy n', 'available'),
  ok('allocation list -f value', /^$/),
  ok('allocation create --resource-class big --name c --wait 30', /\bc\b/),
  ok('allocation delete c', /Deleted/),
  no('allocation create --resource-class none --name d --wait 30', /error|no available nodes/i),
  ok('allocation delete d', /Deleted/),
  ok('node set n --instance-uuid 00000000-0000-4000-8000-0000000000aa --instance-info image_source=i'),
  ok('node show --instance 00000000-0000-4000-8000-0000000000aa', /image_source/),
  ok('node unset n --instance-uuid --instance-info image_source'),
  ok('deploy template delete CUSTOM_A', /Deleted/),
]

export const others: Row[] = [
  ok('driver list --long', /fake-hardware/),
  ok('driver show fake-hardware', /fake/),
  no('driver show none-such', /none-such/),
  ok('driver property list ipmi', /ipmi_address/),
  ok('driver raid property list fake-hardware', /raid_level/),
  ok('driver passthru list fake-hardware'),
  no('driver passthru call fake-hardware nothing', /No handler/),
  ok('conductor list --long', /site-1-appliance/),
  ok('conductor show site-1-appliance', /site-1/),
  no('create /nonexistent.yaml', /nonexistent/),
  ok('create FILE'),
  ok('node list', /from-file/),
  ok('port list', /52:54:00:00:00:02/),
  ok('port group list', /of-file/),
]

export const farewell: Row[] = [
  ok(`port delete ${PORT}`, /Deleted/),
  ok('node delete n', /Deleted/),
  no('node delete n', /could not be found/),
  ok(`chassis delete ${CHASSIS}`, /Deleted/),
]

/** What `openstack baremetal create` reads. */
export const file = {
  chassis: [
    {
      description: 'of a file',
      nodes: [
        {
          name: 'from-file',
          driver: 'fake-hardware',
          portgroups: [{ name: 'of-file', ports: [{ address: '52:54:00:00:00:02' }] }],
        },
      ],
    },
  ],
}
