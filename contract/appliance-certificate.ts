import { z } from 'zod'
import { instant } from './resources.ts'

/** How an appliance's certificate is renewed: it asks in its `alive`, and is answered by `renewed`. Both are of the moment: it asks until it is
 * answered, and the same request is answered with the same certificate. */

const PEM_LIMIT = 32 * 1024

/** Between which instants a certificate is to be used, by the cloud's clock. Its own dates may be wider. */
export const certificateLife = z.object({ issued_at: instant, expires_at: instant })
export type CertificateLife = z.infer<typeof certificateLife>

/** What an appliance says of its certificate. */
export const certificateTold = z.object({
  /** Of the one by which it is connected. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** PKCS #10, PEM: it wants a certificate for this key. */
  csr: z.string().max(8192).optional(),
})
export type CertificateTold = z.infer<typeof certificateTold>

export const renewed = z.object({
  v: z.literal(1),
  kind: z.literal('renewed'),
  certificate: z.string().max(PEM_LIMIT),
  /** Of the broker, from when the certificate is used. */
  authorities: z.string().max(PEM_LIMIT),
  ...certificateLife.shape,
})
export type Renewed = z.infer<typeof renewed>
