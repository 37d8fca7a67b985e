import { addresses } from '../../rack/qemu/network.ts'
import { ini } from '../configuration.ts'

/** Addresses and ports are those of the rack's own namespaces. */
export const API_PORT = 6385
export const HTTP_PORT = 8080
const RPC_PORT = 8089
export const httpUrl = `http://${addresses.siteProvisioning}:${HTTP_PORT}`

/** One of each kind of interface: Redfish for the BMC, iPXE for boots, the agent for the rest. */
const interfaces = {
  bios: 'no-bios',
  boot: 'ipxe',
  console: 'no-console',
  deploy: 'direct',
  inspect: 'no-inspect',
  management: 'redfish',
  network: 'noop',
  power: 'redfish',
  raid: 'no-raid',
  rescue: 'no-rescue',
  storage: 'noop',
  vendor: 'no-vendor',
}

/** ironic.conf of a conductor that deploys real machines: stand-alone, without passwords, DHCP by somebody else. */
export function conductorConf(dir: string): string {
  const chosen = Object.entries(interfaces).flatMap(([kind, name]) => [
    [`enabled_${kind}_interfaces`, name],
    [`default_${kind}_interface`, name],
  ])
  return ini({
    DEFAULT: {
      auth_strategy: 'noauth',
      rpc_transport: 'json-rpc',
      host: '127.0.0.1', // json-rpc dials it
      my_ip: addresses.siteProvisioning,
      state_path: `${dir}/state`,
      use_stderr: 'true',
      debug: 'true',
      enabled_hardware_types: 'redfish',
      force_raw_images: 'false',
      ...Object.fromEntries(chosen),
    },
    agent: {
      image_download_source: 'http',
      deploy_logs_local_path: `${dir}/deploy-logs`,
      deploy_logs_collect: 'always',
    },
    api: { host_ip: '0.0.0.0', port: API_PORT, api_workers: 1 },
    conductor: {
      file_url_allowed_paths: `${dir}/http`,
      automated_clean: 'true',
      deploy_callback_timeout: 600,
      clean_callback_timeout: 600,
    },
    database: { connection: `sqlite:///${dir}/ironic.sqlite` },
    deploy: {
      http_root: `${dir}/http`,
      http_url: httpUrl,
      erase_devices_priority: 0,
      erase_devices_metadata_priority: 10,
      fast_track: 'true',
    },
    dhcp: { dhcp_provider: 'none' },
    json_rpc: { auth_strategy: 'noauth', host_ip: '127.0.0.1', port: RPC_PORT },
    oslo_concurrency: { lock_path: `${dir}/lock` },
    oslo_policy: { policy_dirs: `${dir}/policy.d` },
    pxe: {
      tftp_root: `${dir}/tftp`,
      tftp_master_path: `${dir}/tftp-master`,
      images_path: `${dir}/images`,
      instance_master_path: `${dir}/instance-master`,
      kernel_append_params: 'console=ttyS0',
    },
    service_catalog: { auth_type: 'none', endpoint_override: `http://${addresses.siteProvisioning}:${API_PORT}` },
  })
}
