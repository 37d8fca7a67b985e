import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Webhooks' secrets at rest. Unlike those of BMCs the cloud needs them itself, so that they are sealed to its own key, which is not in
 * the table: AES-256-GCM, bound to the webhook, so that one can't be moved to another. */
export interface SecretBox {
  seal(secret: string, webhook: string): string
  open(sealed: string, webhook: string): string
}

const NONCE = 12
const TAG = 16

export function secretBox(keyText: string): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', keyText, '', 'bloomery webhook secrets v1', 32))
  return {
    seal(secret, webhook) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(webhook))
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')}`
    },
    open(sealed, webhook) {
      const box = Buffer.from(sealed.slice('v1.'.length), 'base64url')
      const cipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE)).setAAD(Buffer.from(webhook))
      cipher.setAuthTag(box.subarray(-TAG))
      return Buffer.concat([cipher.update(box.subarray(NONCE, -TAG)), cipher.final()]).toString('utf8')
    },
  }
}
