import { expect, test } from 'vitest'
import { stepName } from '../../contract/plan.ts'
import { planSteps } from './planners.ts'
import { withPlugs } from './plugs.ts'

const on = { interfaces: { deploy: 'direct', boot: 'ipxe' }, disable_power_off: false }
const at = (vlan: number) => [{ switch: 'tor-1', port: 'swp1', vlan }]
const wired = (vlan: number, ...tagged: number[]) => at(vlan).map((each) => ({ ...each, tagged }))
const wiring = { service: wired(10), tenant: wired(42) }
const image = {
  name: 'i',
  source: { kind: 'blob' as const, key: 'i' },
  size: 1,
  disk_format: 'raw' as const,
  os_hash_algo: 'sha256' as const,
  os_hash_value: 'a'.repeat(64),
}
const deploy = planSteps({ kind: 'deploy', image, configDrive: null, steps: [] }, on)
const told = (steps: typeof deploy.steps): string[] =>
  steps.map((each) => (stepName(each) === 'network.plug' ? JSON.stringify(each.args) : stepName(each)))
const [home, away] = [10, 42].map((vlan) => JSON.stringify({ connections: at(vlan) }))

test('a deploy begins in the VLAN for provisioning, and the machine is in its tenants before it starts from its disk', () => {
  const { steps, on_failure } = withPlugs(deploy, 'deploy', wiring)
  const names = told(steps)
  expect(names[names.indexOf('boot.prepare_ramdisk') - 1]).toBe(home)
  expect(names[names.indexOf('boot.prepare_instance') - 1]).toBe(away)
  expect(names.indexOf(away ?? '')).toBeGreaterThan(names.indexOf('deploy.tear_down_agent'))
  expect(told(on_failure).at(-1)).toBe(home)
})

test('a machine that is torn down leaves the VLAN of its tenant, and one without switches has no such steps', () => {
  const down = planSteps({ kind: 'tear_down' }, on)
  expect(told(withPlugs(down, 'tear_down', wiring).steps).at(-1)).toBe(home)
  expect(withPlugs(deploy, 'deploy', undefined)).toEqual({ steps: deploy.steps, on_failure: deploy.on_failure })
})

test('a trunk is a step of its own name, which an appliance that knows no tags refuses', () => {
  const { steps } = withPlugs(deploy, 'deploy', { service: wired(10), tenant: wired(42, 50, 60) })
  const plugs = steps.filter((each) => each.interface === 'network')
  expect(plugs.map((each) => [stepName(each), each.args['connections']])).toEqual([
    ['network.plug', at(10)],
    ['network.plug_trunk', wired(42, 50, 60)],
  ])
})
