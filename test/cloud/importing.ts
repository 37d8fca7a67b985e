import { randomUUID } from 'node:crypto'
import type { ImageRecord } from '../../contract/image-record.ts'

/** An image that somebody asked to be fetched from there. */
export function importing(url: string, now: Date): ImageRecord {
  const begun_at = now.toISOString()
  return {
    uuid: randomUUID(),
    name: 'mine',
    owner: 'p',
    visibility: 'shared',
    protected: false,
    hidden: false,
    container_format: 'bare',
    disk_format: 'raw',
    min_disk: 0,
    min_ram: 0,
    tags: [],
    properties: {},
    members: [],
    status: 'importing',
    data: null,
    download: { url, failed: null, request: 'req-1', begun_at, by: null },
    created_at: begun_at,
    updated_at: null,
    version: 1,
  }
}
