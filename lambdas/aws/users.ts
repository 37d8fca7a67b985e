import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { requestHandler } from './request-handler.ts'

/** The htpasswd lines of who may use the API. */
export async function readUsers(secretArn: string): Promise<string> {
  const client = new SecretsManagerClient({ requestHandler })
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }))
  if (SecretString === undefined) throw new Error(`secret ${secretArn} holds no text: put htpasswd lines into it`)
  return SecretString
}
