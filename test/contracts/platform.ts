import type { ChangeHandler, Platform, Queue, QueueHandler } from '../../lambdas/platform.ts'
import { blobContract } from './blob-contract.ts'
import { busContract } from './bus-contract.ts'
import { feedContract } from './feed-contract.ts'
import { identityContract } from './identity-contract.ts'
import { queryContract } from './query-contract.ts'
import { queueContract } from './queue-contract.ts'
import { renewalContract } from './renewal-contract.ts'
import { schedulingContract } from './scheduling-contract.ts'
import { writeContract } from './write-contract.ts'

/** One edition of the cloud's ground, for the suite. Everything on it is real: the suite is what both editions are held to. */
export interface PlatformUnderTest {
  platform: Platform
  /** The table's change feed from now on, as its consumer in production gets it. Retries of a failing handler come within 10 s. */
  subscribe(handler: ChangeHandler): Promise<Stop>
  /** A queue that nobody else consumes. Retries come within 10 s; at least 5 before a body is set aside. */
  queue: Queue
  consume(handler: QueueHandler): Promise<Stop>
  /** What appliances publish, after whatever carries it to the reports function. */
  uplinks(handler: (appliance: string, body: string) => Promise<void>): Promise<Stop>
  /** A real MQTT client that holds a certificate of `platform.identity` and listens to its own `down` topic. */
  join(appliance: string): Promise<Site>
  /** PEM of who signs the broker's certificate. */
  brokerAuthority: string
  close(): Promise<void>
}

export type Stop = () => Promise<void>

export interface Site {
  /** Payloads received so far. */
  received: string[]
  /** To its own `up` topic; resolves when acknowledged (QoS 1). */
  publish(payload: string): Promise<void>
  close(): Promise<void>
}

/** Runs the whole suite over what `make` makes, once for all its tests: each uses keys of its own. */
export function platformContract(name: string, make: () => Promise<PlatformUnderTest>): void {
  for (const contract of [
    writeContract,
    queryContract,
    feedContract,
    queueContract,
    blobContract,
    busContract,
    identityContract,
    renewalContract,
    schedulingContract,
  ])
    contract(name, make)
}
