import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Short-lived secrets in the ledger (agent tokens) are encrypted with a key that is not in it, so that a copied ledger tells nothing. */
export interface Vault {
  encrypt(text: string): Uint8Array
  decrypt(box: Uint8Array): string
}

export function openVault(secret: string): Vault {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'bloomery ledger v1', 32))
  return {
    encrypt(text) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    decrypt(box) {
      const bytes = Buffer.from(box)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      decipher.setAuthTag(bytes.subarray(-16))
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
    },
  }
}
