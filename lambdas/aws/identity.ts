import { X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CertificateValidationException,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DescribeEndpointCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  InvalidRequestException,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot'
import { UserError } from '../../contract/api/faults.ts'
import type { Enrolment, Identity } from '../platform.ts'

const DAY_MS = 86_400_000

/** An appliance is an IoT thing of the same name; one policy, written in terms of the thing's name, serves them all. */
export class IotIdentity implements Identity {
  readonly #client: IoTClient
  readonly #policy: string
  #broker: Promise<string> | undefined

  constructor(client: IoTClient, policy: string) {
    this.#client = client
    this.#policy = policy
  }

  /** The certificate becomes active last, so that an enrolment that failed half-way leaves none that opens anything. */
  async issue(appliance: string, csr: string, days: number): Promise<Enrolment> {
    const broker = await this.#brokerUrl()
    const issued = new Date()
    await this.#client.send(new CreateThingCommand({ thingName: appliance }))
    const { certificateId, certificateArn, certificatePem } = await this.#sign(csr)
    if (!certificateId || !certificateArn || !certificatePem) {
      throw new Error(`IoT's certificate for appliance ${appliance} lacks its id, ARN or text`)
    }
    await this.#client.send(new AttachPolicyCommand({ policyName: this.#policy, target: certificateArn }))
    await this.#client.send(new AttachThingPrincipalCommand({ thingName: appliance, principal: certificateArn }))
    await this.#client.send(new UpdateCertificateCommand({ certificateId, newStatus: 'ACTIVE' }))
    return {
      certificate: certificatePem,
      authorities: brokerAuthorities(),
      broker,
      certificate_sha256: new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase(),
      // IoT's own certificates end in 2049, whatever is asked for: what is stated is when another one takes their place.
      issued_at: issued.toISOString(),
      expires_at: new Date(issued.getTime() + days * DAY_MS).toISOString(),
    }
  }

  /** The thing stays, as a record of which certificates it had. */
  revoke(appliance: string): Promise<void> {
    return this.#revoke(appliance, () => true)
  }

  /** A certificate's id at IoT is its SHA-256. */
  retire(appliance: string, keep: string): Promise<void> {
    return this.#revoke(appliance, (certificateId) => certificateId !== keep)
  }

  async #revoke(appliance: string, isMeant: (certificateId: string) => boolean): Promise<void> {
    const listed = await this.#client.send(new ListThingPrincipalsCommand({ thingName: appliance }))
    for (const principal of listed.principals ?? []) {
      const certificateId = principal.slice(principal.lastIndexOf('/') + 1)
      if (!isMeant(certificateId)) continue
      await this.#client.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }))
      await this.#client.send(new DetachPolicyCommand({ policyName: this.#policy, target: principal }))
      await this.#client.send(new DetachThingPrincipalCommand({ thingName: appliance, principal }))
    }
  }

  async #sign(csr: string) {
    try {
      return await this.#client.send(
        new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: false }),
      )
    } catch (error) {
      if (!(error instanceof InvalidRequestException || error instanceof CertificateValidationException)) throw error
      throw new UserError(400, `The certificate signing request was refused: ${error.message}`)
    }
  }

  async #brokerUrl(): Promise<string> {
    this.#broker ??= this.#describe().catch((error: unknown) => {
      this.#broker = undefined
      throw error
    })
    return this.#broker
  }

  async #describe(): Promise<string> {
    const { endpointAddress } = await this.#client.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }))
    if (!endpointAddress) throw new Error('IoT names no data endpoint for this account and region')
    const { hostname, port } = new URL(`mqtts://${endpointAddress}`)
    return `mqtts://${hostname}:${port || 8883}`
  }
}

/** Amazon Trust Services' roots, which sign IoT's ATS endpoints, as Node carries them; and those that NODE_EXTRA_CA_CERTS adds,
 * for a broker behind another authority. */
function brokerAuthorities(): string {
  const amazons = getCACertificates('bundled').filter((pem) =>
    /^(O=Amazon$|CN=Starfield Services Root)/m.test(new X509Certificate(pem).subject),
  )
  return [...amazons, ...getCACertificates('extra')].map((pem) => pem.trim()).join('\n')
}
