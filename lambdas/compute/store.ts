import type { Aggregate, Flavor, Keypair, Server, ServerGroup } from '../../contract/compute.ts'
import { store } from '../store/entity.ts'

export const flavorStore = store<Flavor>({
  title: 'flavor',
  word: 'flavor',
  plural: 'flavors',
  uniques: ({ name }) => [{ pk: `flavor-name#${name}`, clash: `Flavor with name ${name} already exists.` }],
})

/** Found by `user/name`. */
export const keypairStore = store<Keypair>({
  title: 'keypair',
  word: 'keypair',
  plural: 'keypairs',
  lists: ({ user_id: user }) => ({ owner: keypairsOf(user).pk }),
  uniques: ({ user_id: user, name }) => [
    { pk: `keypair-name#${user}/${name}`, clash: `Key pair '${name}' already exists.` },
  ],
})
export const keypairsOf = (user: string) => ({ index: 'owner' as const, pk: `keypairs-of#${user}` })

export const SERVERS_DUE = 'due-servers'

/** While something is done to one it is due: whoever finds it goes on with it. */
export const serverStore = store<Server>({
  title: 'server',
  word: 'server',
  plural: 'servers',
  lists: ({ project_id: project, task }) => ({
    owner: serversFor(project).pk,
    ...(task === null ? {} : { due: SERVERS_DUE }),
  }),
})
export const serversFor = (project: string) => ({ index: 'owner' as const, pk: `servers-for#${project}` })

export const groupStore = store<ServerGroup>({
  title: 'server group',
  word: 'server-group',
  plural: 'server-groups',
  lists: ({ project_id: project }) => ({ owner: groupsFor(project).pk }),
})
export const groupsFor = (project: string) => ({ index: 'owner' as const, pk: `server-groups-for#${project}` })

export const aggregateStore = store<Aggregate>({
  title: 'aggregate',
  word: 'aggregate',
  plural: 'aggregates',
  uniques: ({ name }) => [{ pk: `aggregate-name#${name}`, clash: `Aggregate ${name} already exists.` }],
})
export const AGGREGATES = { index: 'all' as const, pk: 'aggregates' }
