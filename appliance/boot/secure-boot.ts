import type { Machine } from '../../contract/plan.ts'

/**
 * Whether firmware enforces Secure Boot, as Ironic is told: the capability `secure_boot:true`, in the instance's capabilities or in the
 * node's (a list `a:b,c:d`, or an object). It means nothing to a BIOS.
 */
export function wantsSecureBoot(machine: Pick<Machine, 'boot_mode' | 'properties' | 'instance_info'>): boolean {
  if (machine.boot_mode !== 'uefi') return false
  const said = capability(machine.instance_info['capabilities']) ?? capability(machine.properties['capabilities'])
  return said === 'true'
}

function capability(capabilities: unknown): string | undefined {
  if (typeof capabilities === 'object' && capabilities !== null) {
    const value = (capabilities as Record<string, unknown>)['secure_boot']
    return typeof value === 'string' || typeof value === 'boolean' ? `${value}`.toLowerCase() : undefined
  }
  if (typeof capabilities !== 'string') return undefined
  if (capabilities.trim().startsWith('{')) return capability(parsed(capabilities))
  const pair = capabilities.split(',').find((each) => each.trim().startsWith('secure_boot:'))
  return pair?.split(':')[1]?.trim().toLowerCase()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
