import type { RemoteImage } from '../../../contract/images/remote.ts'
import type { Machine } from '../../../contract/plan.ts'
import type { FoundImage } from '../images.ts'
import { findFile } from './file.ts'
import { findOnWeb } from './web.ts'
import { findInRegistry } from './oci/find.ts'
import type { Patience } from './patiently.ts'

/** What of an image only its site can know: whether it is to be had, its checksum, and what is to be shown for it. */

export interface SourcesConfig {
  /** Folders of which files may be written to machines (Ironic: file_url_allowed_paths). */
  file_url_allowed_paths: string[]
  /** HOST[:PORT] of registries without TLS. */
  oci_http_registries: string[]
  /** A Docker `config.json`, for registries of which nodes say nothing (Ironic: `[oci]authentication_config`). */
  oci_authentication_config?: string | undefined
}

export interface Finding extends Patience {
  config: SourcesConfig
  arch: Machine['cpu_arch']
  /** Opened, of instance_info, else of driver_info. */
  secret(key: string): string | undefined
}

export function findRemote(image: RemoteImage, means: Finding): Promise<FoundImage> {
  const { place } = image
  if (place.kind === 'http') return findOnWeb(image, place.url, means)
  if (place.kind === 'file') return findFile(image, place.path, means)
  return findInRegistry(image, place.reference, means)
}
