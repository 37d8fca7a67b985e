import type { Key } from '../platform.ts'

/** Where the image service keeps what it knows of an image: it goes with the image. */
export const RECORD = 'image-record'
export const RECORDS = 'image-records'
export const recordKey = (uuid: string): Key => ({ pk: `${RECORD}#${uuid}`, sk: RECORD })
