import { json } from 'node:stream/consumers'
import { serve, type Serving } from './serve.ts'

/** Secrets Manager's one call that the functions make. */
export async function startSecrets(secrets: Record<string, string>): Promise<Serving> {
  return serve((incoming, outgoing) => {
    void json(incoming).then((body) => {
      const { SecretId } = body as { SecretId: string }
      const known = incoming.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' && SecretId in secrets
      outgoing.writeHead(known ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' })
      const SecretString = secrets[SecretId]
      outgoing.end(JSON.stringify(known ? { ARN: SecretId, SecretString } : { __type: 'ResourceNotFoundException' }))
    })
  })
}
