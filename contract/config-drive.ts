import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { type IsoFile, writeIso } from './iso9660.ts'

const jsonObject = z.record(z.string(), z.unknown())

/** Ironic's object form of a config drive; the string forms (a URL, or what encodeConfigDrive returns) are ready drives. */
export const configDriveSource = z.strictObject({
  meta_data: jsonObject.optional(),
  user_data: z.union([z.string(), jsonObject, z.array(z.unknown())]).optional(),
  network_data: jsonObject.optional(),
  vendor_data: jsonObject.optional(),
})
export type ConfigDriveSource = z.infer<typeof configDriveSource>

/** openstacksdk writes these two, and so do guests' readers look for one of them. */
const versions = ['2012-08-10', 'latest']

/** The volume that a guest finds by its label: an ISO 9660 image, a function of its source alone. */
export function renderConfigDrive(source: ConfigDriveSource): Uint8Array {
  const files: [string, string | undefined][] = [
    ['meta_data.json', JSON.stringify(source.meta_data ?? {})],
    ['network_data.json', source.network_data && JSON.stringify(source.network_data)],
    ['user_data', userData(source.user_data)],
    ['vendor_data2.json', source.vendor_data && JSON.stringify(source.vendor_data)],
  ]
  const present = files.flatMap(([name, text]) => (text === undefined ? [] : [{ name, content: Buffer.from(text) }]))
  return writeIso(
    'config-2',
    versions.flatMap((version) =>
      present.map(({ name, content }): IsoFile => ({ path: `openstack/${version}/${name}`, content })),
    ),
  )
}

/** Ironic's string form of a config drive: base64 of gzip of the volume. */
export function encodeConfigDrive(volume: Uint8Array): string {
  return gzipSync(volume, { level: 9 }).toString('base64')
}

function userData(given: ConfigDriveSource['user_data']): string | undefined {
  return given === undefined || typeof given === 'string' ? given : JSON.stringify(given)
}
