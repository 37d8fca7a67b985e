import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RunningBmc, startBmc } from './server.ts'
import { freeipmi } from './testing/freeipmi.ts'
import { ipmitool } from './testing/ipmitool.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { paperInventory } from './testing/paper-inventory.ts'

const user = { name: 'admin', password: 'secret', privilege: 'administrator' } as const
const lan = { address: '10.1.2.3', mask: '255.255.255.0', gateway: '10.1.2.254', mac: '52:54:00:01:02:03' }

let bmc: RunningBmc
let chassis: PaperChassis
let faults: unknown[]

beforeEach(async () => {
  faults = []
  chassis = paperChassis()
  const onError = (error: unknown): void => void faults.push(error)
  const options = { users: [user], chassis, inventory: paperInventory(), lan, onError }
  bmc = await startBmc({ host: '127.0.0.1', port: 0, ...options })
})
afterEach(async () => {
  await bmc.close()
  expect(faults).toEqual([])
})

function tool(words: string, who: { name: string; password: string } = user): Promise<string> {
  return ipmitool(bmc, who, words.split(' '))
}

function free(program: string, words: string, who: { name: string; password: string } = user): Promise<string> {
  return freeipmi(program, bmc, who, ['-I', '17', ...words.split(' ')])
}

describe('ipmitool', () => {
  test('hires a user, tests and changes his password, and shuts him out', async () => {
    const worker = { name: 'worker', password: 'a-password-of-20-byt' }
    await tool('user set name 3 worker')
    await tool(`user set password 3 ${worker.password} 20`)
    await tool('channel setaccess 1 3 ipmi=on privilege=3')
    await tool('user enable 3')
    expect(await tool('user list 1')).toMatch(/^2 +admin +true +false +true +ADMINISTRATOR\n3 +worker .* OPERATOR$/m)
    expect(await tool(`user test 3 20 ${worker.password}`)).toMatch(/Success/)
    const says = (text: string) => expect.objectContaining({ stdout: expect.stringContaining(text) as string })
    await expect(tool('user test 3 20 another')).rejects.toEqual(says('password incorrect'))
    await expect(tool('user test 3 16 another')).rejects.toEqual(says('wrong password size'))
    await tool('-L OPERATOR chassis power on', worker)
    expect(chassis.told).toEqual(['on'])
    await tool('user set password 3 short')
    await tool('-L OPERATOR chassis power status', { ...worker, password: 'short' })
    await tool('user disable 3')
    await expect(tool('-v -L OPERATOR chassis power off', { ...worker, password: 'short' })).rejects.toThrow(
      /unauthorized name/i,
    )
  })

  test('reads and sets the LAN configuration and the access to the channel', async () => {
    expect(await tool('lan print 1')).toMatch(
      /Static Address[^]*10\.1\.2\.3[^]*52:54:00:01:02:03[^]*10\.1\.2\.254[^]*RMCP\+ Cipher Suites +: 17,3\n[^]*Max +: aaX/,
    )
    await tool('lan set 1 vlan id 100')
    await tool('lan set 1 snmp hush')
    await tool('lan set 1 ipsrc dhcp')
    expect(await tool('lan print 1')).toMatch(/DHCP Address[^]*hush[^]*802\.1q VLAN ID +: 100/)
    expect(await tool('channel info 1')).toMatch(/802\.3 LAN[^]*IPMB-1\.0[^]*multi-session/)
  })

  test('reads, starts and stops the watchdog', async () => {
    expect(await tool('mc watchdog get')).toMatch(/Stopped/)
    await tool('raw 0x06 0x24 0x04 0x01 0x00 0x00 0x58 0x02')
    await tool('mc watchdog reset')
    expect(await tool('mc watchdog get')).toMatch(/SMS\/OS[^]*Started[^]*Hard Reset[^]*Initial Countdown: +60\.0/)
    await tool('mc watchdog off')
    expect(await tool('mc watchdog get')).toMatch(/Stopped/)
  })

  test('limits power and tags the asset by DCMI', async () => {
    expect(await tool('dcmi discover')).toMatch(/Power management available/)
    await tool('dcmi power set_limit limit 300')
    await tool('dcmi power activate')
    expect(await tool('dcmi power get_limit')).toMatch(/: Power Limit Active[^]*300 Watts/)
    await tool('dcmi power deactivate')
    expect(await tool('dcmi power get_limit')).toMatch(/No Active Power Limit/)
    await tool('dcmi set_asset_tag rack-7-unit-12-left')
    expect(await tool('dcmi asset_tag')).toMatch(/rack-7-unit-12-left/)
    await tool('dcmi set_mc_id_string bmc-12.example')
    expect(await tool('dcmi get_mc_id_string')).toMatch(/bmc-12\.example/)
  })

  test('moves a threshold, and the sensor is beyond it', async () => {
    expect(await tool('sensor get Inlet')).toMatch(/Status +: ok[^]*Upper Critical +: 55\.000[^]*Hysteresis +: 1\.000/)
    await tool('sensor thresh Inlet unc 20')
    expect(await tool('sensor get Inlet')).toMatch(/Status +: Upper Non-Critical[^]*Upper Non-Critical +: 20\.000/)
  })

  test('deletes an entry of the event log', async () => {
    for (const sensor of ['1', '2']) await tool(`raw 0x0a 0x44 0 0 2 0 0 0 0 0x41 0 4 1 ${sensor} 1 0x59 0x2d 0x28`)
    await tool('sel delete 1')
    expect(await tool('sel list')).toMatch(/^ *2 \|/)
  })

  test('lights the chassis, tells what it does after an outage, why it started and for how long it has run', async () => {
    expect(await tool('chassis identify 5')).toMatch(/5 seconds/)
    await tool('chassis policy always-on')
    await tool('chassis power on')
    expect(await tool('chassis status')).toMatch(/Power Restore Policy : always-on/)
    expect(await tool('chassis restart_cause')).toMatch(/power control command/)
    expect(await tool('chassis poh')).toMatch(/51 days, 10 hours/)
  })
})

// By two bridges, ipmitool waits for the answer apart from that of Send Message, where our BMC puts it; it may ask again meanwhile.
test('ipmitool reaches controllers behind the BMC, by one bridge and by two', async () => {
  await bmc.close()
  const [blade, card] = [paperChassis(), paperChassis()]
  const behind = { channel: 7, address: 0x72, chassis: card }
  const satellites = [{ channel: 0, address: 0x82, chassis: blade, satellites: [behind] }]
  const onError = (error: unknown): void => void faults.push(error)
  bmc = await startBmc({ host: '127.0.0.1', port: 0, users: [user], chassis, satellites, onError })
  await tool('-b 0 -t 0x82 chassis power on')
  await expect(tool('-N 1 -B 0 -T 0x82 -b 7 -t 0x72 raw 0x00 0x02 0x01')).rejects.toThrow(/Unable to send RAW/)
  expect([chassis.told, blade.told, [...new Set(card.told)]]).toEqual([[], ['on'], ['on']])
  expect(await tool('-b 0 -t 0x82 chassis power status')).toMatch(/is on/)
})

describe('freeipmi', () => {
  test("checks out and commits what a BMC's owner configures", async () => {
    const config = await free('ipmi-config', '--category=core --checkout --section=User2 --section=Lan_Conf')
    expect(config).toMatch(/Username +admin[^]*Enable_User +Yes[^]*Lan_Privilege_Limit +Administrator/)
    expect(config).toMatch(/IP_Address_Source +Static[^]*IP_Address +10\.1\.2\.3[^]*MAC_Address +52:54:00:01:02:03/)
    await free('bmc-config', '--commit --key-pair=User3:Username=worker --key-pair=User3:Password=other')
    await free(
      'bmc-config',
      '--commit --key-pair=User3:Enable_User=Yes --key-pair=User3:Lan_Enable_IPMI_Msgs=Yes --key-pair=User3:Lan_Privilege_Limit=Operator',
    )
    await free('bmc-config', '--commit --key-pair=Lan_Conf:Vlan_id=100 --key-pair=Lan_Conf:Vlan_Id_Enable=Yes')
    expect(await tool('lan print 1')).toMatch(/802\.1q VLAN ID +: 100/)
    const worker = { name: 'worker', password: 'other' }
    expect(await free('ipmi-chassis', '-l OPERATOR --get-chassis-status', worker)).toMatch(/System Power +: off/)
    const access = await free('ipmi-config', '--category=core --checkout --section=Lan_Channel')
    expect(access).toMatch(/Volatile_Access_Mode +Always_Available/)
  })

  test('reads and sets thresholds, hysteresis and events of sensors', async () => {
    const config = await free('ipmi-sensors-config', '--checkout --section=1_Inlet')
    expect(config).toMatch(/Assertion_Event_Upper_Critical_Going_High +Yes[^]*Upper_Critical_Threshold +55\.0/)
    await free('ipmi-sensors-config', '--commit --key-pair=1_Inlet:Upper_Critical_Threshold=20')
    const alarm = 'Enable_Deassertion_Event_Upper_Critical_Going_High'
    await free('ipmi-sensors-config', `--commit --key-pair=1_Inlet:${alarm}=No`)
    expect(await free('ipmi-sensors-config', '--checkout --section=1_Inlet')).toMatch(
      new RegExp(`${alarm} +No[^]*Upper_Critical_Threshold +20\\.0`),
    )
    expect(await free('ipmi-sensors', '--record-ids=1 --output-sensor-state')).toMatch(/Inlet.*Critical.*23\.50/)
  })

  test('limits power and tags the asset by DCMI', async () => {
    expect(await free('ipmi-dcmi', '--get-dcmi-capability-info')).toMatch(
      /Conformance +: 1\.5[^]*Asset Tag +: Available/,
    )
    await free(
      'ipmi-dcmi',
      '--set-power-limit --exception-actions=LOG_EVENT_TO_SEL_ONLY --power-limit-requested=300 --correction-time-limit=1000 --statistics-sampling-period=10',
    )
    await free('ipmi-dcmi', '--activate-deactivate-power-limit=ACTIVATE')
    expect(await free('ipmi-dcmi', '--get-power-limit')).toMatch(/300 watts[^]*1000 milliseconds[^]*10 seconds/)
    await free('ipmi-dcmi', '--set-asset-tag=rack-7-unit-12-left')
    expect(await free('ipmi-dcmi', '--get-asset-tag')).toMatch('rack-7-unit-12-left')
    await free('ipmi-dcmi', '--set-management-controller-identifier-string=bmc-12.example-net')
    const name = await free('ipmi-dcmi', '--get-management-controller-identifier-string')
    expect(name).toMatch('bmc-12.example-net')
  })

  test("asks for and sets the BMC's clock, and deletes from its event log", async () => {
    await free('bmc-device', '--set-sel-time-utc-offset=-60')
    expect(await free('bmc-device', '--get-sel-time-utc-offset')).toMatch(/-60 minutes/)
    await free('bmc-device', '--set-sel-time=now')
    expect(await free('bmc-device', '--get-sel-time')).toMatch(/SEL Time : \d/)
    await tool('raw 0x0a 0x44 0 0 2 0 0 0 0 0x41 0 4 1 1 1 0x59 0x2d 0x28')
    await free('ipmi-sel', '--delete=1')
    expect(await free('ipmi-sel', '--info')).toMatch(/Number of log entries +: 0/)
  })

  test('lights the chassis and tells of it', async () => {
    await free('ipmi-chassis', '--chassis-identify=FORCE')
    await free('ipmi-chassis', '--set-power-restore-policy=ALWAYS-ON')
    const status = await free('ipmi-chassis', '--get-chassis-status')
    expect(status).toMatch(/Power restore policy +: Always on[^]*Identify state +: Indefinite on/i)
    expect(await free('ipmi-chassis', '--get-chassis-capabilities')).toMatch(/Diagnostic Interrupt +: provided/)
    await tool('chassis power on')
    expect(await free('ipmi-chassis', '--get-system-restart-cause')).toMatch(/Chassis Control/i)
  })
})
