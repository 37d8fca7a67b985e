import { describe, expect, it } from 'vitest'
import { bootMode } from './boot-mode.ts'

describe('boot mode', () => {
  it.each([
    ['nothing said', {}, {}, 'uefi'],
    ['the machine', {}, { capabilities: 'boot_mode:bios' }, 'bios'],
    ['the machine among others', {}, { capabilities: 'profile:x, boot_mode:bios' }, 'bios'],
    ['the instance, as object', { capabilities: { boot_mode: 'bios' } }, {}, 'bios'],
    ['the instance, as JSON text', { capabilities: '{"boot_mode": "bios"}' }, {}, 'bios'],
    ['the instance, in the old way', { deploy_boot_mode: 'bios' }, {}, 'bios'],
    ['secure boot', { capabilities: { secure_boot: true } }, {}, 'uefi'],
    ['secure boot before all', { capabilities: { secure_boot: 'true', boot_mode: 'bios' } }, {}, 'uefi'],
  ] as const)('by %s', (_, instance_info, properties, mode) => {
    expect(bootMode({ instance_info, properties })).toBe(mode)
  })

  it.each([
    ['a contradiction', { capabilities: { boot_mode: 'uefi' } }, { capabilities: 'boot_mode:bios' }],
    ['an unknown mode', {}, { capabilities: 'boot_mode:coreboot' }],
    ['capabilities without colon', {}, { capabilities: 'boot_mode' }],
    ['capabilities that are a list', { capabilities: ['boot_mode'] }, {}],
    ['capabilities that are broken JSON', { capabilities: '{"boot_mode"' }, {}],
  ] as const)('refuses %s', (_, instance_info, properties) => {
    expect(() => bootMode({ instance_info, properties })).toThrow(expect.objectContaining({ status: 400 }))
  })
})
