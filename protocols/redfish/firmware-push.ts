import { randomBytes } from 'node:crypto'
import { actionAt } from './action.ts'
import type { Answer } from './answer.ts'
import type { Redfish, Resource } from './client.ts'
import { NotOffered } from './error.ts'
import { UPDATE_MS, updateServiceOf } from './firmware.ts'
import { textAt } from './json.ts'
import { settle, type TaskOutcome } from './task.ts'
import type { BodySource } from './transport.ts'

/** Firmware that is sent to the BMC instead of fetched by it (DSP2046 UpdateService, HttpPushUri and MultipartHttpPushUri). */
export interface FirmwarePush {
  image: BodySource
  /** As the BMC is to see it: some tell by the ending what it is. */
  name: string
  /** Paths of what it is for; without, the BMC sees by the image. */
  targets?: readonly string[]
  timeoutMs?: number
  onProgress?(percent: number): void
}

export type UpdateWay = 'fetch' | 'multipart' | 'push'

/** How this BMC takes firmware, best first. */
export async function updateWays(bmc: Redfish): Promise<UpdateWay[]> {
  const service = await updateServiceOf(bmc, 'read update service')
  return [
    ...(actionAt(service, '#UpdateService.SimpleUpdate') ? (['fetch'] as const) : []),
    ...(textAt(service.body, 'MultipartHttpPushUri') === undefined ? [] : (['multipart'] as const)),
    ...(textAt(service.body, 'HttpPushUri') === undefined ? [] : (['push'] as const)),
  ]
}

/** To its end as far as the BMC tells, like `updateFirmware`. */
export async function pushFirmware(bmc: Redfish, push: FirmwarePush): Promise<TaskOutcome> {
  const operation = 'push firmware'
  const { timeoutMs = UPDATE_MS, onProgress } = push
  const service = await updateServiceOf(bmc, operation)
  const multipart = textAt(service.body, 'MultipartHttpPushUri')
  const plain = textAt(service.body, 'HttpPushUri')
  if (multipart === undefined && plain === undefined)
    throw new NotOffered(bmc.subject(operation), 'the BMC takes no firmware by push')
  const begun =
    multipart === undefined
      ? await pushed(bmc, service, plain!, push, operation)
      : await pushedInParts(bmc, multipart, push, operation)
  return settle(bmc, begun, { operation, timeoutMs, ...(onProgress ? { onProgress } : {}) })
}

/** Targets are a property of the service here, which is kept busy meanwhile so that nobody else sets others. */
async function pushed(
  bmc: Redfish,
  service: Resource,
  path: string,
  { image, targets, timeoutMs = UPDATE_MS }: FirmwarePush,
  operation: string,
): Promise<Answer> {
  const how = { operation, timeoutMs }
  const targeted = targets !== undefined && 'HttpPushUriTargets' in service.body
  if (targeted) await bmc.change(service, { HttpPushUriTargets: targets, HttpPushUriTargetsBusy: true }, { operation })
  try {
    const headers = { 'content-type': 'application/octet-stream' }
    return await bmc.send({ method: 'POST', path, body: image, headers }, how)
  } finally {
    if (targeted) {
      const free = { HttpPushUriTargets: [], HttpPushUriTargetsBusy: false }
      // What ended the push is what counts; a BMC that installs may be deaf already.
      await updateServiceOf(bmc, operation)
        .then((now) => bmc.change(now, free, { operation, timeoutMs: 10_000 }))
        .catch(() => undefined)
    }
  }
}

async function pushedInParts(
  bmc: Redfish,
  path: string,
  { image, name, targets, timeoutMs = UPDATE_MS }: FirmwarePush,
  operation: string,
): Promise<Answer> {
  const boundary = `redfish-${randomBytes(12).toString('hex')}`
  const parameters = { Targets: targets ?? [], '@Redfish.OperationApplyTime': 'Immediate' }
  const file = name.replaceAll(/[^\w.-]/g, '_').slice(-128)
  const part = (disposition: string, type: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\ncontent-type: ${type}\r\n\r\n`
  const before = Buffer.from(
    `${part('name="UpdateParameters"', 'application/json')}${JSON.stringify(parameters)}\r\n` +
      part(`name="UpdateFile"; filename="${file}"`, 'application/octet-stream'),
  )
  const after = Buffer.from(`\r\n--${boundary}--\r\n`)
  const body: BodySource = {
    size: before.length + image.size + after.length,
    async *read() {
      yield before
      yield* image.read()
      yield after
    },
  }
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  return bmc.send({ method: 'POST', path, body, headers }, { operation, timeoutMs })
}
