import type { Node } from '../../contract/resources.ts'

/** Capabilities of nodes, and what flavors want of them. Pure. */

/** Ironic's form: `a:b,c:d`; cpu_arch is a property. */
export function capabilityOf({ properties }: Pick<Node, 'properties'>, name: string): string | undefined {
  const direct = properties[name]
  if (typeof direct === 'string' || typeof direct === 'number') return String(direct)
  const { capabilities } = properties
  if (typeof capabilities !== 'string') return undefined
  const found = capabilities.split(',').find((each) => each.slice(0, each.indexOf(':')).trim() === name)
  return found?.slice(found.indexOf(':') + 1).trim()
}

/** Operators as Nova's ComputeCapabilitiesFilter has them: a plain value must be equal. */
export function isCapable(own: string | undefined, wanted: string): boolean {
  if (own === undefined) return false
  const [, operator, operand = ''] = /^(<in>|<or>|s==|s!=|>=|<=|==|!=|=)\s+(.*)$/.exec(wanted.trim()) ?? []
  if (operator === undefined) return own === wanted.trim()
  const [a, b] = [Number(own), Number(operand)]
  const compare: Record<string, boolean> = {
    '<in>': own.includes(operand),
    '<or>': operand.split(/\s*<or>\s*/).includes(own),
    's==': own === operand,
    's!=': own !== operand,
    '>=': a >= b,
    '=': a >= b,
    '<=': a <= b,
    '==': a === b,
    '!=': a !== b,
  }
  return compare[operator] === true
}
