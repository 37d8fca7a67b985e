import type { ImageMember } from '../../contract/image-record.ts'
import { type Entry, statusOf } from './records.ts'

/** An image as Glance shows it. Pure. */
export function imageView({ record, image }: Entry, now: Date) {
  const { uuid, data, download, properties } = record
  const pushed = image && !data ? image : undefined
  return {
    ...properties,
    ...(download?.failed ? { os_glance_failed_import: 'web-download', os_glance_import_error: download.failed } : {}),
    id: uuid,
    name: record.name,
    status: statusOf(record, now),
    visibility: record.visibility,
    protected: record.protected,
    os_hidden: record.hidden,
    owner: record.owner,
    container_format: record.container_format,
    disk_format: record.disk_format,
    size: data?.size ?? pushed?.size ?? null,
    virtual_size: image?.manifest ? image.size : null,
    min_disk: record.min_disk,
    min_ram: record.min_ram,
    checksum: data?.checksum ?? null,
    os_hash_algo: data ? 'sha512' : (pushed?.os_hash_algo ?? null),
    os_hash_value: data?.sha512 ?? pushed?.os_hash_value ?? null,
    tags: record.tags,
    created_at: whole(record.created_at),
    updated_at: whole(record.updated_at ?? record.created_at),
    file: `/v2/images/${uuid}/file`,
    self: `/v2/images/${uuid}`,
    schema: '/v2/schemas/image',
  }
}
export type ImageView = ReturnType<typeof imageView>

export function memberView(image: string, { project, status, created_at, updated_at }: ImageMember) {
  return {
    member_id: project,
    image_id: image,
    status,
    created_at: whole(created_at),
    updated_at: whole(updated_at),
    schema: '/v2/schemas/member',
  }
}

export const whole = (instant: string): string => `${instant.slice(0, 19)}Z`
