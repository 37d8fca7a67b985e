import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A registry of containers (OCI Distribution Specification, § pulling) whose images have one layer. */
export class PaperRegistry {
  readonly #server: Server
  readonly #served = new Map<string, { bytes: Buffer; type: string }>()

  constructor() {
    this.#server = createServer((request, reply) => {
      const found = this.#served.get(request.url ?? '')
      if (!found) return void reply.writeHead(404).end()
      reply.writeHead(200, { 'content-type': found.type, 'content-length': found.bytes.length }).end(found.bytes)
    })
  }

  async open(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return this.name
  }

  get name(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Its `image_source`. */
  push(repository: string, layer: Buffer, Labels: Record<string, string>): string {
    const put = (bytes: Buffer, mediaType: string) => {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      const kind = mediaType.includes('manifest') ? 'manifests' : 'blobs'
      this.#served.set(`/v2/${repository}/${kind}/${digest}`, { bytes, type: mediaType })
      return { mediaType, digest, size: bytes.length }
    }
    const json = (value: object, type: string) => put(Buffer.from(JSON.stringify(value)), type)
    const config = json({ architecture: 'amd64', config: { Labels } }, 'application/vnd.oci.image.config.v1+json')
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const layers = [put(layer, 'application/vnd.oci.image.layer.v1.tar')]
    const { digest } = json({ schemaVersion: 2, mediaType, config, layers }, mediaType)
    this.#served.set(`/v2/${repository}/manifests/13`, this.#served.get(`/v2/${repository}/manifests/${digest}`)!)
    return `oci://${this.name}/${repository}:13`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
