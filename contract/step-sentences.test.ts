import { expect, it } from 'vitest'
import { stepNames } from './step-arguments.ts'
import { stepSentence } from './step-sentences.ts'

const image = {
  name: 'debian',
  source: { kind: 'blob', key: 'k' },
  size: 3 * 2 ** 20,
  disk_format: 'qcow2',
  os_hash_algo: 'sha256',
  os_hash_value: 'a'.repeat(64),
}
const say = (name: string, args: Record<string, unknown> = {}) => {
  const [iface, step] = name.split('.') as [string, string]
  return stepSentence({ interface: iface, step, args })
}

it('every step that needs no arguments says in one sentence what it does', () => {
  const withArguments = [
    'plan.wait',
    'network.plug',
    'network.plug_trunk',
    'power.set_power_state',
    'management.set_boot_device',
    'deploy.write_image',
    'deploy.execute_bootc_install',
    'deploy.inject_files',
    'management.update_firmware',
    'management.configure_intel_speedselect',
    'boot.prepare_instance_ramdisk',
  ]
  const settings = ['bios.apply_configuration', 'firmware.update']
  for (const name of stepNames.filter((each) => ![...withArguments, ...settings].includes(each)))
    expect(say(name), name).toMatch(/^[A-Z][^\n]+\.$/)
})

it('arguments are told', () => {
  expect(say('deploy.write_image', { image, config_drive: null })).toBe(
    'Writes image debian (qcow2, 3 MiB) over the root disk, checked against its sha256.',
  )
  expect(say('management.set_boot_device', { device: 'pxe', persistent: false })).toMatch(/pxe, for the next start/)
  const connections = [{ switch: 'tor-1', port: 'swp1', vlan: 42 }]
  expect(say('network.plug', { connections })).toBe('Moves port swp1 of switch tor-1 to VLAN 42.')
  expect(say('network.plug_trunk', { connections: connections.map((each) => ({ ...each, tagged: [50, 60] })) })).toBe(
    'Gives port swp1 of switch tor-1 VLAN 42, and with tags 50, 60.',
  )
  const files = [
    { path: '/etc/motd', content: 'aGk=' },
    { path: '/etc/old', deleted: true },
  ]
  expect(say('deploy.inject_files', { files })).toMatch(/: \/etc\/motd, \/etc\/old goes\.$/)
  const settings = Array.from({ length: 7 }, (_, n) => ({ name: `s${n}`, value: n }))
  expect(say('bios.apply_configuration', { settings })).toMatch(/s0, s1, s2, s3, s4 and 2 more/)
})

it('the URL of an image, which may be a key to it, is not told', () => {
  const url = 'https://user:pa55@example.org/x?token=s3cret'
  const text = say('deploy.write_image', { image: { ...image, name: url, size: null }, config_drive: {} })
  expect(text).not.toMatch(/s3cret|pa55|example/)
  expect(text).toMatch(/config drive/)
})

it('a step that only an agent knows is called by its name', () => {
  expect(say('deploy.polish')).toBe('Does deploy.polish.')
})
