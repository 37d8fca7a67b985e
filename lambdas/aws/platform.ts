import { randomBytes, randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { IoTClient } from '@aws-sdk/client-iot'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { defaultOptions, parseConductorOptions } from '../../contract/conductor-options.ts'
import type { Platform } from '../platform.ts'
import { S3Blobs } from './blobs.ts'
import { IotBus } from './bus.ts'
import { environmentOf } from './environment.ts'
import { IotIdentity } from './identity.ts'
import { lambdaLog } from './log.ts'
import { requestHandler } from './request-handler.ts'
import { DynamoTable } from './table.ts'
import { SqsWaker } from './waker.ts'

/** The platform of a Lambda function. Regions, credentials and endpoints are read by the SDK from where Lambda puts them. */
export function awsPlatform(variables: Record<string, string | undefined> = process.env): Platform {
  const { TABLE, BLOBS, APPLIANCE_POLICY, COURIERS, CONDUCTOR_OPTIONS } = environmentOf(variables)
  return {
    table: new DynamoTable(new DynamoDBClient({ requestHandler }), TABLE),
    blobs: new S3Blobs(new S3Client({ requestHandler }), BLOBS),
    bus: new IotBus(new IoTDataPlaneClient({ requestHandler })),
    identity: new IotIdentity(new IoTClient({ requestHandler }), APPLIANCE_POLICY),
    // Functions that wake nobody (reports) have no queue for it.
    couriers: new SqsWaker(new SQSClient({ requestHandler }), COURIERS ?? ''),
    options: CONDUCTOR_OPTIONS === undefined ? defaultOptions : parseConductorOptions(CONDUCTOR_OPTIONS),
    clock: { now: () => new Date() },
    ids: { uuid: () => randomUUID(), token: (bytes) => randomBytes(bytes).toString('base64url') },
    log: lambdaLog,
  }
}
