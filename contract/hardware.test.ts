import { describe, expect, it } from 'vitest'
import { checkDriverInfo, drivers, hardware, isAbsent, resolveInterfaces } from './hardware.ts'
import { steps } from './step-facts.ts'
import { stepNames } from './step-arguments.ts'

describe('interfaces of a node', () => {
  it('are the first of each list unless named', () => {
    expect(resolveInterfaces('ipmi', {})).toMatchObject({
      power_interface: 'ipmitool',
      boot_interface: 'ipxe',
      rescue_interface: 'no-rescue',
    })
    expect(resolveInterfaces('ipmi', { management_interface: 'noop' })).toMatchObject({ management_interface: 'noop' })
  })

  it('are refused with a sentence when driver or implementation is unknown', () => {
    expect(resolveInterfaces('ilo', {})).toMatch(
      /No conductor service registered which supports driver ilo: .*There is ipmi/,
    )
    expect(resolveInterfaces('ipmi', { deploy_interface: 'ansible' })).toMatch(
      /interfaces.deploy' entrypoint: ansible. Valid interfaces are \['autodetect', 'direct', 'ramdisk', /,
    )
    expect(resolveInterfaces('constructor', {})).toMatch(/unknown/)
  })
})

describe('driver_info of ipmi', () => {
  it.each([
    [{}, /ipmi_address/],
    [{ ipmi_address: '' }, /ipmi_address/],
    [{ ipmi_address: 'b', ipmi_port: 70_000 }, /ipmi_port/],
    [{ ipmi_address: 'b', ipmi_port: 'x' }, /ipmi_port/],
    [{ ipmi_address: 'b', ipmi_priv_level: 'ROOT' }, /ipmi_priv_level/],
    [{ ipmi_address: 'b', ipmi_disable_boot_timeout: 'perhaps' }, /ipmi_disable_boot_timeout/],
    [{ ipmi_address: 'b', ipmi_protocol_version: '1.0' }, /ipmi_protocol_version/],
    [{ ipmi_address: 'b', ipmi_cipher_suite: 4 }, /ipmi_cipher_suite/],
    [{ ipmi_address: 'b', ipmi_cipher_suite: '' }, /ipmi_cipher_suite/],
    [{ ipmi_address: 'b', ipmi_force_boot_device: 'at times' }, /ipmi_force_boot_device/],
    [{ ipmi_address: 'b', ipmi_bridging: 'triple' }, /ipmi_bridging: no, single or dual/],
    [{ ipmi_address: 'b', ipmi_bridging: 'single', ipmi_target_channel: 0 }, /ipmi_target_address: is needed for/],
    [{ ipmi_address: 'b', ipmi_bridging: 'dual', ipmi_target_channel: 0, ipmi_target_address: 2 }, /ipmi_transit_ch/],
    [{ ipmi_address: 'b', ipmi_target_channel: 16 }, /ipmi_target_channel: a number up to 15/],
    [{ ipmi_address: 'b', ipmi_target_address: '0x100' }, /ipmi_target_address: a number up to 255/],
    [{ ipmi_address: 'b', ipmi_local_address: 'here' }, /ipmi_local_address/],
  ])('%j is refused', (info, why) => {
    expect(checkDriverInfo('ipmi', info)).toMatch(why)
  })

  it('is fine with an address, and with ports as text', () => {
    expect(checkDriverInfo('ipmi', { ipmi_address: 'b' })).toBeUndefined()
    expect(checkDriverInfo('ipmi', { ipmi_address: 'b', ipmi_cipher_suite: 0 })).toBeUndefined()
    expect(checkDriverInfo('ipmi', { ipmi_address: 'b', ipmi_port: '6230', ipmi_cipher_suite: '17' })).toBeUndefined()
    const bridge = { ipmi_bridging: 'single', ipmi_target_channel: '0', ipmi_target_address: '0x82' }
    expect(checkDriverInfo('ipmi', { ipmi_address: 'b', ...bridge, ipmi_local_address: null })).toBeUndefined()
  })
})

describe('driver_info of redfish', () => {
  it.each([
    [{}, /redfish_address/],
    [{ redfish_address: 'ftp://b' }, /redfish_address.*http or https/],
    [{ redfish_address: 'http://' }, /redfish_address/],
    [{ redfish_address: 'b', redfish_auth_type: 'kerberos' }, /redfish_auth_type.*basic, session or auto/],
    [{ redfish_address: 'b', redfish_verify_ca: 7 }, /redfish_verify_ca/],
    [{ redfish_address: 'b', redfish_system_id: 1 }, /redfish_system_id/],
  ])('%j is refused', (info, why) => {
    expect(checkDriverInfo('redfish', info)).toMatch(why)
  })

  it.each(['bmc.example', 'https://10.0.0.1', 'http://[fd00::1]:8000/redfish/v1'])('%s is an address', (address) => {
    expect(checkDriverInfo('redfish', { redfish_address: address, redfish_verify_ca: 'False' })).toBeUndefined()
  })
})

describe('the catalogue', () => {
  it('describes every step that a plan can have', () => {
    expect(Object.keys(steps).sort()).toEqual([...stepNames].sort())
  })

  it('describes what it requires', () => {
    for (const driver of drivers)
      for (const key of hardware[driver].required) expect(hardware[driver].properties).toHaveProperty(key)
  })

  it('knows which implementations stand for none', () => {
    expect(isAbsent('no-raid')).toBe(true)
    expect(isAbsent(null)).toBe(true)
    expect(isAbsent('noop')).toBe(false)
  })
})
