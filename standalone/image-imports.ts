import type { Importer } from '../lambdas/image-service/importer.ts'
import { runImports } from '../lambdas/image-service/import.ts'
import type { Platform } from '../lambdas/platform.ts'
import { addressGuard } from '../lambdas/webhooks/address-guard.ts'
import type { WebhookConfig } from '../lambdas/webhooks/config.ts'
import type { FileBlobs } from './blobs.ts'
import { cutImages } from './cut-images.ts'
import { Worker } from './worker.ts'

/** Fetches images that people name by URL, and cuts those that came as one file into chunks. What the last life was at is begun anew. */
export class ImageImports implements Importer {
  readonly #fetching: Worker
  readonly #cutting: Worker
  readonly #stopping = new AbortController()

  constructor(platform: Platform, blobs: FileBlobs, { networks }: Pick<WebhookConfig, 'networks'>) {
    const guard = addressGuard(networks)
    const { signal } = this.#stopping
    const { log } = platform
    this.#cutting = new Worker(
      async () => {
        await cutImages(platform, blobs, signal)
        return { idle: undefined }
      },
      (error) => log.error({ error: String(error) }, 'cutting images into chunks failed'),
    )
    this.#fetching = new Worker(
      async () => {
        await runImports(platform, guard, signal)
        this.#cutting.wake()
        return { idle: undefined }
      },
      (error) => log.error({ error: String(error) }, 'fetching images failed'),
    )
  }

  wake(): Promise<void> {
    this.#fetching.wake()
    return Promise.resolve()
  }

  came(): void {
    this.#cutting.wake()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    await Promise.all([this.#fetching.stop(), this.#cutting.stop()])
  }
}
