import { SecretValue } from 'aws-cdk-lib'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { accept } from './accept.ts'

/** How the API knows its callers: what its function may read for that, and which secret is people's affair. */
export interface Authentication {
  environment: Record<string, string>
  secrets: Secret[]
  forPeople: { name: string; secret: Secret; description: string }
}

const strategies: Readonly<Record<string, (scope: Construct) => Authentication>> = { http_basic: basic, keystone }

/** By the context value `auth`: `cdk deploy -c auth=keystone`. */
export function authenticationOf(scope: Construct): Authentication {
  const asked: unknown = scope.node.tryGetContext('auth') ?? 'http_basic'
  const strategy = strategies[String(asked)]
  if (!strategy) throw new Error(`context auth=${String(asked)}: there is ${Object.keys(strategies).join(', ')}`)
  return strategy(scope)
}

function basic(scope: Construct): Authentication {
  const users = new Secret(scope, 'Users', {
    description: 'Who may use the API: lines of user:bcrypt, as htpasswd -B writes them',
    // No secret yet: a comment, with which nobody may.
    secretStringValue: SecretValue.unsafePlainText('# lines of user:bcrypt, as htpasswd -B writes them'),
  })
  accept(users, {
    'AwsSolutions-SMG4': 'It holds hashes of passwords that people chose; only they can change them.',
  })
  const description = 'The secret to put htpasswd lines (bcrypt) into: who may use the API'
  return {
    environment: { USERS: users.secretArn },
    secrets: [users],
    forPeople: { name: 'Users', secret: users, description },
  }
}

function keystone(scope: Construct): Authentication {
  const generateSecretString = { passwordLength: 64, excludePunctuation: true }
  const key = new Secret(scope, 'TokenKey', { description: 'What tokens are signed with', generateSecretString })
  accept(key, {
    'AwsSolutions-SMG4': 'A new key voids every token: that is for a person to decide, who then puts one in.',
  })
  const admin = new Secret(scope, 'Admin', {
    description: 'The first password of the user admin; later ones are kept by the identity service',
    generateSecretString: { ...generateSecretString, passwordLength: 32 },
  })
  accept(admin, {
    'AwsSolutions-SMG4': 'It is read once, when the first administrator is made; the password is changed by its user.',
  })
  return {
    environment: { TOKEN_KEY: key.secretArn, ADMIN: admin.secretArn },
    secrets: [key, admin],
    forPeople: { name: 'Admin', secret: admin, description: 'The secret with the first password of the user admin' },
  }
}
