/** The words of instance requests, as the table keeps them. Names are Nova's, but for `uuid` and the words of a server's progress. */

interface Kept {
  uuid: string
  created_at: string
  updated_at: string | null
  version: number
}

/** `uuid` may be any text that its maker chose. `access`: the projects that may use one that isn't public. */
export interface Flavor extends Kept {
  name: string
  vcpus: number
  ram: number
  disk: number
  ephemeral: number
  swap: number
  rxtx_factor: number
  is_public: boolean
  description: string | null
  extra_specs: Record<string, string>
  access: string[]
}

export interface Keypair extends Kept {
  name: string
  user_id: string
  type: 'ssh'
  public_key: string
  fingerprint: string
}

/** A card that a server is to have: on a network, or the port that somebody made for it. `made`: by us, so that we delete it too. */
export interface Nic {
  port: string
  network: string
  fixed_ip: string | null
  made: boolean
}

/** A disk of the volume service that a server has, and what it is to be made of unless somebody made it. */
export interface ServerVolume {
  volume: string
  /** Of ours, named before it is made. */
  attachment: string
  /** 0: booted from. */
  boot_index: number
  made: { size: number | null; image: string | null; snapshot: string | null; type: string | null } | null
  delete_on_termination: boolean
  /** On its way to a server that is there, or from it. */
  moving?: 'in' | 'out'
}

export const serverStates = ['building', 'active', 'rescued', 'error'] as const
export type ServerState = (typeof serverStates)[number]
/** What is being done to it; each is a step that can be taken again after it was interrupted. */
export const serverTasks = [
  'scheduling',
  'networking',
  'attaching',
  'spawning',
  'deploying',
  'failing',
  'deleting',
  'rebuilding',
  'rescuing',
  'unrescuing',
  'rebooting',
  'rebooting hard',
  'powering off',
  'powering on',
  'plugging',
  'unplugging',
] as const
export type ServerTask = (typeof serverTasks)[number]

/** What somebody asked of a server, and the steps that it came to: the latest last, as many as are worth keeping. */
export interface ServerAction {
  request: string
  action: string
  user_id: string
  project_id: string
  started_at: string
  ended_at: string | null
  /** Why it failed. */
  fault: string | null
  steps: Array<{ task: ServerTask; started_at: string; ended_at: string | null; failed: boolean }>
}

export interface Server extends Kept {
  name: string
  /** Of the request that it was asked for in, with others. Absent: from before there were such. */
  reservation_id?: string
  /** In its own eyes, whatever it is called later. Absent: after its name. */
  hostname?: string
  /** What its owner says it is reached by. Absent: nothing. */
  access_ipv4?: string
  access_ipv6?: string
  description: string | null
  project_id: string
  user_id: string
  flavor: Pick<Flavor, 'uuid' | 'name' | 'vcpus' | 'ram' | 'disk' | 'ephemeral' | 'swap' | 'extra_specs'>
  /** Of the image service; empty: it boots from a volume. */
  image: string
  key: { name: string; public_key: string } | null
  metadata: Record<string, string>
  /** Base64, as it was given. */
  user_data: string | null
  nics: Nic[]
  /** Absent: none. */
  volumes?: ServerVolume[]
  /** The site that was asked for. */
  availability_zone: string | null
  state: ServerState
  task: ServerTask | null
  node: string | null
  /** Its site. */
  site: string | null
  /** When it got that node: what the node said before is others'. Absent: from before this was written. */
  claimed_at?: string
  power: 'power on' | 'power off' | null
  fault: { code: number; message: string; created: string } | null
  /** Nodes on which it failed. */
  tried: string[]
  locked: boolean
  /** Absent: by somebody of its project, who may take the lock away again. */
  locked_by?: 'admin'
  launched_at: string | null
  /** Absent: none yet. */
  locked_reason?: string | null
  actions?: ServerAction[]
  tags?: string[]
  /** The server group that it was made in; absent: none. */
  group?: string | null
}

export const groupPolicies = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const
/** What it is that members share or don't: a machine is one server's anyway. */
export const groupScopes = ['rack', 'site'] as const

/** Servers that are to be near each other, or far. */
export interface ServerGroup extends Kept {
  name: string
  project_id: string
  user_id: string
  policy: (typeof groupPolicies)[number]
  scope: (typeof groupScopes)[number]
  /** Of anti-affinity: so many may be in one place. */
  most: number
  /** `place` once it has a node. */
  members: Array<{ server: string; place: string | null }>
}

/** Nodes and sites that an administrator put together. The metadata `availability_zone` makes a zone of it. `uuid` is the text of `id`. */
export interface Aggregate extends Kept {
  id: number
  name: string
  metadata: Record<string, string>
  /** Uuids of nodes, names of sites. */
  hosts: string[]
}
