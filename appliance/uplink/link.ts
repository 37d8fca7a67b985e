/** The wire to the cloud, as narrow as the uplink needs it. `mqtt.ts` is the real one. */
export interface Link {
  /** Resolves when the broker has taken it over. Rejects while cut off. */
  publish(payload: string): Promise<void>
  onMessage(handler: (payload: string) => void): void
  /** Called at every (re)connection, once subscribed. */
  onConnect(handler: () => void): void
  end(): Promise<void>
}
