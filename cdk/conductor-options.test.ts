import { expect, it } from 'vitest'
import { STACK, synthesise, unbundled } from './synthesise.ts'

const synthesised = (conductor: unknown) =>
  synthesise({ context: { ...unbundled.context, conductor } }).getStackByName(STACK).template as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
  }

function told(conductor: unknown): unknown[] {
  const functions = Object.values(synthesised(conductor).Resources).filter(
    ({ Type, Properties }) => Type === 'AWS::Lambda::Function' && 'Environment' in Properties,
  )
  return functions
    .map(({ Properties }) => (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables)
    .filter((variables) => 'TABLE' in variables)
    .map((variables) => variables['CONDUCTOR_OPTIONS'])
}

it('every function is told the operator’s options', () => {
  const functions = told({ max_concurrent_deploy: 250 })
  expect(functions.length).toBeGreaterThan(3)
  expect(new Set(functions)).toEqual(new Set(['{"max_concurrent_deploy":250}']))
}, 180_000)

it('an option that there is not is refused before anything is deployed', () => {
  expect(() => synthesised({ colour: 'red' })).toThrow(/colour/)
}, 180_000)
