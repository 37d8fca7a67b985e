import type { DynamoDBRecord } from 'aws-lambda'
import type { Change } from '../platform.ts'
import { itemOf, keyOf, rowOfAttributes } from './record.ts'

/** One record of the table's stream, whose view is NEW_AND_OLD_IMAGES. */
export function changeOf({ eventID, dynamodb }: DynamoDBRecord): Change {
  if (!dynamodb?.Keys) throw new Error(`stream record ${eventID} has no keys: is it from the table's stream?`)
  const { Keys, OldImage, NewImage } = dynamodb
  return {
    key: keyOf(rowOfAttributes(Keys)),
    before: OldImage && itemOf(rowOfAttributes(OldImage)),
    after: NewImage && itemOf(rowOfAttributes(NewImage)),
  }
}
