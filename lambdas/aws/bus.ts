import { type IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane'
import type { Bus } from '../platform.ts'

export class IotBus implements Bus {
  readonly #client: IoTDataPlaneClient

  constructor(client: IoTDataPlaneClient) {
    this.#client = client
  }

  async publish(topic: string, payload: string): Promise<void> {
    await this.#client.send(
      new PublishCommand({ topic, qos: 1, payload: Buffer.from(payload), contentType: 'application/json' }),
    )
  }
}
