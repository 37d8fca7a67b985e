import { describe, expect, it } from 'vitest'
import { STACK, synthesise, unbundled } from './synthesise.ts'

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
  Outputs: Record<string, unknown>
}
const synthesised = (auth?: string): Template =>
  synthesise({ context: { ...unbundled.context, ...(auth === undefined ? {} : { auth }) } }).getStackByName(STACK)
    .template

function environments({ Resources }: Template): Array<Record<string, unknown>> {
  const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function')
  return functions.map(
    ({ Properties }) => (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables,
  )
}

describe('with keystone', () => {
  const template = synthesised('keystone')

  it('the key of tokens and the first password are made by AWS, in no template', () => {
    const secrets = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::SecretsManager::Secret')
    expect(secrets).toHaveLength(3) // with the key of webhooks
    for (const { Properties } of secrets) {
      expect(Properties['GenerateSecretString']).toMatchObject({ ExcludePunctuation: true })
      expect(Properties).not.toHaveProperty('SecretString')
    }
    expect(Object.keys(template.Outputs)).toContain('Admin')
  })

  it('only the function of the API knows where they are', () => {
    const knowing = environments(template).filter((each) => 'TOKEN_KEY' in each || 'ADMIN' in each)
    expect(knowing).toHaveLength(1)
    expect(knowing[0]).toMatchObject({ POWERTOOLS_SERVICE_NAME: 'api' })
    expect(knowing[0]).not.toHaveProperty('USERS')
  })
}, 180_000)

describe('otherwise', () => {
  it('users are htpasswd lines', () => {
    const template = synthesised()
    expect(environments(template).filter((each) => 'USERS' in each)).toHaveLength(1)
    expect(Object.keys(template.Outputs)).toContain('Users')
  }, 180_000)

  it('an unknown strategy is refused in words', () => {
    expect(() => synthesised('ldap')).toThrow('context auth=ldap: there is http_basic, keystone')
  }, 180_000)
})
