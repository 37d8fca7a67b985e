import { resolved, type Template } from './template.ts'

/** Whether a caller may do something. */
export type Permits = (caller: string | undefined, action: string, resource: string) => boolean

/** A test's own access key: it may do everything. A function's is its logical id. */
export const TESTER = 'tester'

interface Statement {
  Effect: string
  Action: string | string[]
  Resource: string | string[]
}

/** IAM, as far as the stack's roles use it: allowing statements, stars in resources. */
export function permissionsOf(template: Template, resolve: (id: string, attribute?: string) => string): Permits {
  const statements = new Map<string, Statement[]>()
  for (const [id, { Properties }] of template.of('AWS::Lambda::Function')) {
    const role = roleOf(Properties['Role'])
    const policies = template.of('AWS::IAM::Policy').filter(([, policy]) => {
      const roles = policy.Properties['Roles'] as Array<{ Ref: string }>
      return roles.some(({ Ref }) => Ref === role)
    })
    const own = policies.flatMap(([, policy]) => {
      const document = resolved(policy.Properties['PolicyDocument'], resolve) as { Statement: Statement[] }
      return document.Statement
    })
    statements.set(id, own)
  }
  return (caller, action, resource) =>
    caller === TESTER ||
    (statements.get(caller ?? '') ?? []).some(
      (each) =>
        each.Effect === 'Allow' &&
        [each.Action].flat().includes(action) &&
        [each.Resource].flat().some((pattern) => covers(pattern, resource)),
    )
}

function roleOf(value: unknown): string {
  return (value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0]
}

function covers(pattern: string, resource: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`).test(resource)
}
