import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { addressGuard } from '../../webhooks/address-guard.ts'
import { type Courier, deliver } from '../../webhooks/deliver.ts'
import { post } from '../../webhooks/post.ts'
import { secretBox } from '../../webhooks/secret-box.ts'
import { awsPlatform } from '../platform.ts'
import { readWebhooks } from '../webhooks.ts'

const platform = awsPlatform()

/** Before the function's timeout (cdk/webhooks.ts), with room for the round that has begun. */
const TURN_MS = 40_000

let made: Promise<Courier> | undefined

/** Each message is one webhook. What rests is woken by the timer. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const courier = await courierOf()
  const { clock, couriers, log } = platform
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
  for (const { body: webhook, messageId: itemIdentifier } of Records) {
    try {
      const next = await deliver(courier, webhook, new Date(clock.now().getTime() + TURN_MS))
      if (next && next <= clock.now()) await couriers.wake(webhook)
    } catch (error) {
      log.error({ webhook, error }, 'delivering failed, it is tried again')
      batchItemFailures.push({ itemIdentifier })
    }
  }
  return { batchItemFailures }
}

function courierOf(): Promise<Courier> {
  made ??= make()
  made.catch(() => (made = undefined))
  return made
}

async function make(): Promise<Courier> {
  const { key, networks } = await readWebhooks(process.env)
  const guard = addressGuard(networks)
  return {
    ...platform,
    box: secretBox(key),
    random: Math.random,
    send: (url, message) => post(url, message, guard),
  }
}
