import { NODE } from './nodes.ts'
import { get, id, NOBODY, post, put, remove, type Step } from './script.ts'

const item = `/v1/nodes/${NODE}`
const device = `${item}/management/boot_device`

const management: Step[] = [
  ...get(`${item}/management`, [82]),
  ...get(device),
  ...get(`${device}/supported`),
  ...get(`${device}/nothing`, [82]),
  put(device, { boot_device: 'pxe' }),
  put(device, { boot_device: 'pxe', persistent: true }),
  ...get(device, [82]),
  put(device, { boot_device: 'tape' }),
  put(device, { boot_device: 7 }),
  put(device, { boot_device: 'pxe', persistent: 'perhaps' }),
  put(device, { boot_device: 'pxe', colour: 1 }),
  put(device, {}),
  put(device),
  put(`${device}?boot_device=pxe&persistent=true`),
  put(`/v1/nodes/${NOBODY}/management/boot_device`, { boot_device: 'pxe' }),
  put(`${item}/management/inject_nmi`, {}),
  put(`${item}/management/inject_nmi`),
  put(`${item}/management/inject_nmi`, { colour: 1 }),
  put(`${item}/management/inject_nmi`, {}, 28),
  ...get(`${item}/management/indicators`),
  ...get(`${item}/management/indicators/chassis`, [82]),
  ...get(`${item}/management/indicators/led@chassis`, [82]),
  put(`${item}/management/indicators/led@chassis`, { state: 'on' }),
]

const traits: Step[] = [
  ...get(`${item}/traits`),
  put(`${item}/traits`, { traits: ['CUSTOM_B', 'CUSTOM_A', 'CUSTOM_A', 'HW_CPU_X86_VMX'] }),
  ...get(`${item}/traits`, [82]),
  put(`${item}/traits`, { traits: ['custom'] }),
  put(`${item}/traits`, { traits: ['HW_NOTHING_LIKE_IT'] }),
  put(`${item}/traits`, { traits: [7] }),
  put(`${item}/traits`, { traits: 'CUSTOM_A' }),
  put(`${item}/traits`, { traits: null }),
  put(`${item}/traits`, {}),
  put(`${item}/traits`),
  put(`${item}/traits`, { traits: [`CUSTOM_${'X'.repeat(249)}`] }),
  put(`${item}/traits`, { traits: Array.from({ length: 51 }, (_, n) => `CUSTOM_${n}`) }),
  put(`${item}/traits/CUSTOM_C`),
  put(`${item}/traits/CUSTOM_C`),
  put(`${item}/traits/CUSTOM_C`, { colour: 1 }),
  put(`${item}/traits/CUSTOM_D`, { traits: ['CUSTOM_D'] }),
  put(`${item}/traits/custom`),
  ...get(`${item}/traits/CUSTOM_C`, [82]),
  ...get(`${item}?fields=traits`, [82]),
  remove(`${item}/traits/CUSTOM_C`),
  remove(`${item}/traits/CUSTOM_C`),
  remove(`${item}/traits/CUSTOM_A`, 36),
  put(`${item}/traits/CUSTOM_A`, undefined, 36),
  put(`${item}/traits`, { traits: [] }, 36),
  remove(`${item}/traits`),
  ...get(`${item}/traits`, [82]),
  post(`${item}/traits`, {}),
  put(`/v1/nodes/${NOBODY}/traits`, { traits: [] }),
]

const vifs: Step[] = [
  ...get(`${item}/vifs`),
  post(`${item}/vifs`, { id: 'v1' }),
  post(`${item}/vifs`, { id: NOBODY }),
  post(`${item}/vifs`, {}),
  post(`${item}/vifs`),
  post(`${item}/vifs`, { id: 7 }),
  post(`${item}/vifs`, { id: NOBODY, port_uuid: NOBODY }),
  post(`${item}/vifs`, { id: NOBODY, port_uuid: NOBODY, portgroup_uuid: NOBODY }),
  post(`${item}/vifs`, { id: NOBODY, port_uuid: NOBODY }, 66),
  remove(`${item}/vifs/${NOBODY}`),
  remove(`${item}/vifs`),
  post(`${item}/vifs`, { id: NOBODY }, 27),
]

const vendor: Step[] = [
  ...get(`${item}/vendor_passthru`, [82]),
  ...get(`${item}/vendor_passthru/methods`),
  post(`${item}/vendor_passthru/first_method`, { bar: 'meow' }),
  post(`${item}/vendor_passthru?method=second_method`, { bar: 'kazoo' }),
  post(`${item}/vendor_passthru/second_method`, {}),
  post(`${item}/vendor_passthru/third_method_sync`, { bar: 'meow' }),
  ...get(`${item}/vendor_passthru/first_method`, [82]),
  post(`${item}/vendor_passthru/nothing`, {}),
  post(`${item}/vendor_passthru`, {}),
]

const rest: Step[] = [
  ...get(`${item}/bios`),
  ...get(`${item}/bios?detail=true`, [72, 82]),
  ...get(`${item}/bios?fields=name`, [82]),
  ...get(`${item}/bios/nothing`, [82]),
  post(`${item}/bios`, {}),
  ...get(`/v1/nodes/${id(1, 2)}/management/boot_device`, [82]),
  remove(`${item}/allocation`),
]

export const belowNodesRequests: Step[] = [...management, ...traits, ...vifs, ...vendor, ...rest]
