import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { requestHandler } from './request-handler.ts'

export async function readSecret(arn: string): Promise<string> {
  const client = new SecretsManagerClient({ requestHandler })
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }))
  if (SecretString === undefined)
    throw new Error(`secret ${arn} holds no text: cdk/authentication.ts says what belongs there`)
  return SecretString
}
