export interface Configuration {
  dir: string
  socket: string
  apiPort: number
  rpcPort: number
  apiWorkers: number
}

/** Fake hardware with each kind of interface that fakes, and what stands for "has none". */
const interfaces: Readonly<Record<string, string>> = {
  bios: 'fake,no-bios',
  boot: 'fake',
  console: 'fake,no-console',
  deploy: 'fake',
  inspect: 'fake,no-inspect',
  management: 'fake',
  network: 'noop',
  power: 'fake',
  raid: 'fake,no-raid',
  rescue: 'fake,no-rescue',
  storage: 'noop,fake',
  vendor: 'fake,no-vendor',
}

/** ironic.conf: nobody has to log in, no message queue, no DHCP of anybody's, nothing outside `dir`. */
export function ironicConf({ dir, socket, apiPort, rpcPort, apiWorkers }: Configuration): string {
  return ini({
    DEFAULT: {
      auth_strategy: 'noauth',
      rpc_transport: 'json-rpc',
      host: '127.0.0.1', // json-rpc dials it
      my_ip: '127.0.0.1',
      state_path: `${dir}/state`,
      use_stderr: 'true',
      enabled_hardware_types: 'fake-hardware',
      ...Object.fromEntries(Object.entries(interfaces).map(([kind, names]) => [`enabled_${kind}_interfaces`, names])),
    },
    api: { host_ip: '127.0.0.1', port: apiPort, api_workers: apiWorkers },
    database: { connection: `mysql+pymysql://root@localhost/ironic?unix_socket=${socket}&charset=utf8` },
    dhcp: { dhcp_provider: 'none' },
    json_rpc: { auth_strategy: 'noauth', host_ip: '127.0.0.1', port: rpcPort },
    oslo_concurrency: { lock_path: `${dir}/lock` },
    oslo_policy: { policy_dirs: `${dir}/policy.d` },
  })
}

/** An ini file as oslo.config reads it. */
export function ini(sections: Record<string, Record<string, string | number>>): string {
  const lines = Object.entries(sections).flatMap(([name, values]) => [
    `[${name}]`,
    ...Object.entries(values).map(([key, value]) => `${key} = ${value}`),
  ])
  return `${lines.join('\n')}\n`
}
