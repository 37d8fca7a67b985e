import type { Importer } from '../lambdas/image-service/data.ts'
import { runImports } from '../lambdas/image-service/import.ts'
import type { Platform } from '../lambdas/platform.ts'
import { addressGuard } from '../lambdas/webhooks/address-guard.ts'
import type { WebhookConfig } from '../lambdas/webhooks/config.ts'
import { Worker } from './worker.ts'

/** Fetches images that people name by URL. What the last life was fetching is begun anew. */
export class ImageImports implements Importer {
  readonly #worker: Worker
  readonly #stopping = new AbortController()

  constructor(platform: Platform, { networks }: Pick<WebhookConfig, 'networks'>) {
    const guard = addressGuard(networks)
    const { signal } = this.#stopping
    this.#worker = new Worker(
      async () => {
        await runImports(platform, guard, signal)
        return { idle: undefined }
      },
      (error) => platform.log.error({ error: String(error) }, 'fetching images failed'),
    )
  }

  wake(): void {
    this.#worker.wake()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    await this.#worker.stop()
  }
}
