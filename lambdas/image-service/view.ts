import type { Image } from '../../contract/resources.ts'

/** An image as Glance shows it. Pure. */
export function imageView({
  uuid,
  name,
  state,
  size,
  disk_format,
  os_hash_algo,
  os_hash_value,
  manifest,
  created_at,
  updated_at,
}: Image) {
  return {
    id: uuid,
    name,
    status: state,
    visibility: 'public',
    protected: false,
    os_hidden: false,
    owner: null,
    container_format: 'bare',
    disk_format: manifest?.source_format ?? disk_format,
    size,
    virtual_size: manifest?.size ?? null,
    min_disk: 0,
    min_ram: 0,
    checksum: null,
    os_hash_algo,
    os_hash_value,
    tags: [],
    created_at: whole(created_at),
    updated_at: whole(updated_at ?? created_at),
    file: `/v2/images/${uuid}/file`,
    self: `/v2/images/${uuid}`,
    schema: '/v2/schemas/image',
  }
}

const whole = (instant: string): string => `${instant.slice(0, 19)}Z`
