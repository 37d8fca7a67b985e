import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { STACK, synthesise, unbundled } from '../../cdk/synthesise.ts'

export interface Resource {
  Type: string
  Properties: Record<string, unknown>
}

/** What the stack would make on AWS, to make the same on emulators. */
export interface Template {
  /** Of a type, by logical id. */
  of(type: string): Array<[string, Resource]>
  one(type: string): [string, Resource]
  /** Where its assets lie. */
  directory: string
}

export function synthesised(bundle: 'bundled' | 'unbundled'): Template {
  const outdir = mkdtempSync(join(tmpdir(), 'bloomery-cdk-'))
  const assembly = synthesise({ outdir, ...(bundle === 'unbundled' && unbundled) })
  const { Resources } = assembly.getStackByName(STACK).template as { Resources: Record<string, Resource> }
  const of = (type: string) => Object.entries(Resources).filter(([, { Type }]) => Type === type)
  return {
    of,
    one(type) {
      const [found, ...more] = of(type)
      if (!found || more.length > 0)
        throw new Error(`the stack has ${more.length + (found ? 1 : 0)} of ${type}, not one`)
      return found
    },
    directory: outdir,
  }
}

/** CloudFormation's functions, for values that name resources: `resolve` says what a reference to one stands for. */
export function resolved(value: unknown, resolve: (logicalId: string, attribute?: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => resolved(each, resolve))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [[name, argument] = ['', undefined], ...more] = entries
  if (more.length === 0 && name === 'Ref') return resolve(String(argument))
  if (more.length === 0 && name === 'Fn::GetAtt') return resolve(...(argument as [string, string]))
  if (more.length === 0 && name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]]
    return parts.map((part) => String(resolved(part, resolve))).join(separator)
  }
  return Object.fromEntries(entries.map(([key, each]) => [key, resolved(each, resolve)]))
}
