import type { z } from 'zod'
import type { CertificateLife } from '../appliance-certificate.ts'
import type { switchDoor } from '../switch-doors.ts'
import type { Link } from './views.ts'

/** What is sent and what comes back where that is no resource of its own. */

/** A resource as the API shows it. */
export type Shown<T> = Omit<T, 'version'> & { links: Link[] }

export interface ConfigDriveSource {
  meta_data?: Record<string, unknown>
  network_data?: Record<string, unknown>
  user_data?: string | Record<string, unknown>
  vendor_data?: Record<string, unknown>
}

export interface NamedStep {
  interface: string
  step: string
  args?: Record<string, unknown>
}

export interface ProvisionOptions {
  configdrive?: string | ConfigDriveSource
  clean_steps?: NamedStep[]
  service_steps?: NamedStep[]
  deploy_steps?: Array<Required<NamedStep> & { priority: number }>
  rescue_password?: string
  disable_ramdisk?: boolean
  runbook?: string
}

export interface Validation {
  result: boolean | null
  reason?: string
}

export interface BootDevice {
  boot_device: string | null
  persistent: boolean | null
}

export interface EnrolRequest {
  token: string
  name: string
  csr: string
  sealing_key: string
}

export interface EnrolReply extends CertificateLife {
  appliance: string
  site: string
  certificate: string
  authorities: string
  broker: string
}

export interface NewImage {
  name: string
  size: number
  sha256: string
  disk_format: 'raw' | 'qcow2'
}

/** Who sets a switch may leave out what has a default, and the key where it has one. */
export type SwitchWish = Omit<z.input<typeof switchDoor>, 'name'> & { private_key?: string }
export type SwitchView = z.output<typeof switchDoor> & { private_key: string }
