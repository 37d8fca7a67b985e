import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApi } from '../../lambdas/api/app.ts'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { OpenStackShell } from './openstack-shell.ts'
import { PaperSite } from './paper-site.ts'

/** Every baremetal command that OpenStack's client has, in an order that makes sense. Unmodified client, API over HTTP, a site on paper. */

const CHASSIS = '00000000-0000-4000-8000-00000000000c'
const PORT = '00000000-0000-4000-8000-00000000000d'
const CONNECTOR = '00000000-0000-4000-8000-00000000000e'
const TARGET = '00000000-0000-4000-8000-00000000000f'

interface Row {
  command: string
  /** What the client prints on success, or with its failure. */
  says?: RegExp
  fails?: RegExp
  /** Its site does the work, and reports this. */
  carry?: { power_state?: 'power on' | 'power off' }
}
const ok = (command: string, says?: RegExp): Row => ({ command, says })
const no = (command: string, fails: RegExp): Row => ({ command, fails })
const work = (command: string, power_state?: 'power on' | 'power off'): Row => ({
  command,
  carry: power_state ? { power_state } : {},
})
const lacks = /does not support/

const rows: Row[] = [
  ok(`chassis create --uuid ${CHASSIS} --description left`, /left/),
  ok(`chassis set ${CHASSIS} --description right`),
  ok(`chassis show ${CHASSIS}`, /right/),
  ok(`chassis unset ${CHASSIS} --description`),
  ok('chassis list', new RegExp(CHASSIS)),
  ok(`node create --driver ipmi --name n --chassis-uuid ${CHASSIS} --driver-info ipmi_address=192.0.2.1`, /enroll/),
  ok('node list', /\bn\b/),
  ok('node set n --resource-class big --extra a=b', undefined),
  ok('node unset n --extra a'),
  ok('node show n', /big/),
  no(`chassis delete ${CHASSIS}`, /contains nodes/),
  ok(`port create 52:54:00:00:00:01 --node NODE --uuid ${PORT}`, /52:54/),
  ok(`port set ${PORT} --pxe-enabled --extra a=b`),
  ok(`port unset ${PORT} --extra a`),
  ok(`port show ${PORT}`, /52:54/),
  ok('port list', /52:54/),
  ok('port group create --node NODE --name bond --mode 802.3ad', /802\.3ad/),
  ok('port group set bond --address 52:54:00:00:00:99'),
  ok('port group unset bond --address'),
  ok('port group show bond', /802\.3ad/),
  ok('port group list', /bond/),
  ok('port group delete bond', /Deleted/),
  ok(`volume connector create --node NODE --type iqn --connector-id iqn.2026-11.test:a --uuid ${CONNECTOR}`, /iqn/),
  ok('volume connector list', /iqn/),
  ok(`volume connector show ${CONNECTOR}`, /iqn/),
  no(`volume connector set ${CONNECTOR} --connector-id b`, /can not be performed/),
  ok(`volume target create --node NODE --type iscsi --volume-id v --boot-index 0 --uuid ${TARGET}`, /iscsi/),
  ok('volume target list', /iscsi/),
  ok(`volume target show ${TARGET}`, /iscsi/),
  ok('node validate n', /power/),
  work('node manage n', 'power off'),
  ok(`volume connector set ${CONNECTOR} --connector-id b --extra a=b`),
  ok(`volume connector unset ${CONNECTOR} --extra a`),
  ok(`volume connector delete ${CONNECTOR}`, /Deleted/),
  ok(`volume target set ${TARGET} --volume-id w --extra a=b`),
  ok(`volume target unset ${TARGET} --extra a`),
  ok(`volume target delete ${TARGET}`, /Deleted/),
  work('node power on n', 'power on'),
  work('node power off n', 'power off'),
  work('node reboot n', 'power on'),
  work('node boot device set n pxe --persistent'),
  ok('node boot device show n', /pxe/),
  ok('node boot device show n --supported', /pxe/),
  no('node boot mode set n uefi', lacks),
  no('node secure boot on n', lacks),
  no('node secure boot off n', lacks),
  no('node inject nmi n', lacks),
  no('node console enable n', lacks),
  no('node console disable n', lacks),
  no('node console show n', lacks),
  ok('node add trait n CUSTOM_A HW_B', /Added/),
  ok('node trait list n', /CUSTOM_A/),
  ok('node remove trait n HW_B', /Removed/),
  ok('node bios setting list n'),
  no('node bios setting show n boot', /doesn't have a BIOS setting/),
  ok('node vif attach n 00000000-0000-4000-8000-000000000001'),
  ok('node vif list n'),
  ok('node vif detach n 00000000-0000-4000-8000-000000000001'),
  ok('node passthru list n'),
  no('node passthru call n nothing', /No handler/),
  ok('node maintenance set n --reason dust'),
  ok('node maintenance unset n'),
  ok('node history list n', /verifying/),
  no('node history get n 00000000-0000-4000-8000-000000000002', /could not be found/),
  no('node inspect n', lacks),
  no('node clean n --clean-steps []', /clean_steps/),
  work('node adopt n', 'power on'),
  ok('node show n --fields provision_state', /active/),
  no('node rebuild n', /image_source|Failed to validate/),
  no('node rescue n --rescue-password x', lacks),
  no('node unrescue n', /can not be performed/),
  no('node abort n', /can not be performed/),
  work('node undeploy n', 'power off'),
  ok('node show n --fields provision_state', /available/),
  ok('node manage n'),
  work('node provide n', 'power off'),
  ok('node show n --fields provision_state', /available/),
  no('node deploy n', /image_source|Failed to validate/),
  ok('allocation create --resource-class big --trait CUSTOM_A --name a', /a/),
  ok('allocation show a', /active/),
  ok('allocation set a --extra k=v'),
  ok('allocation unset a --extra k'),
  ok('allocation list', /active/),
  ok('allocation delete a', /Deleted/),
  ok('deploy template create CUSTOM_T --steps [{"interface":"deploy","step":"s","args":{},"priority":1}]', /CUSTOM_T/),
  ok('deploy template set CUSTOM_T --extra a=b'),
  ok('deploy template unset CUSTOM_T --extra a'),
  ok('deploy template show CUSTOM_T', /CUSTOM_T/),
  ok('deploy template list', /CUSTOM_T/),
  ok('deploy template delete CUSTOM_T', /Deleted/),
  ok('driver list', /ipmi/),
  ok('driver show ipmi', /ipmitool/),
  ok('driver property list ipmi', /ipmi_address/),
  no('driver raid property list ipmi', lacks),
  ok('driver passthru list ipmi'),
  no('driver passthru call ipmi nothing', /No handler/),
  ok('conductor list', /box-1/),
  ok('conductor show box-1', /berlin/),
  no('create /nonexistent.yaml', /nonexistent/),
  ok(`port delete ${PORT}`, /Deleted/),
  ok('node delete n', /Deleted/),
  ok(`chassis delete ${CHASSIS}`, /Deleted/),
]

let cloud: ControlPlane
let server: ServerType
let client: OpenStackShell
let site: PaperSite
beforeAll(async () => {
  cloud = await openControlPlane()
  const api = createApi(cloud.platform, { publicEndpoint: null, auth: { strategy: 'noauth' } })
  server = await new Promise<ServerType>((resolve) => {
    const started: ServerType = serve({ fetch: api.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  client = new OpenStackShell(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  site = new PaperSite(cloud, (await withSite(cloud)).appliance)
})
afterAll(async () => {
  client[Symbol.dispose]()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  await cloud[Symbol.asyncDispose]()
})

it('walks every command that the client has', async () => {
  const commands = await client.commands()
  const takes = (command: string): boolean => rows.some((row) => `baremetal ${row.command} `.startsWith(`${command} `))
  expect(commands.length).toBeGreaterThan(80)
  expect(commands.filter((command) => !takes(command))).toEqual([])
  for (const row of rows) await step(row)
}, 300_000)

async function step({ command, says, fails, carry }: Row): Promise<void> {
  const node = (await cloud.client.nodes.list()).find(({ name }) => name === 'n')?.uuid ?? ''
  const { code, stdout, stderr } = await client.run(['baremetal', ...command.replace('NODE', node).split(' ')])
  const said = `${command}: ${stdout}${stderr}`
  expect([fails === undefined ? code : code !== 0, said]).toEqual([fails !== undefined ? true : 0, said])
  if (says ?? fails) expect(said.slice(command.length)).toMatch((says ?? fails) as RegExp)
  await cloud.settle()
  if (!carry) return
  // One operation may start the next: a tear-down is followed by cleaning.
  for (let left = 3; left > 0 && (await cloud.client.nodes.get(node)).operation; left -= 1) {
    await site.carryOut(node, carry)
    await cloud.settle()
  }
}
