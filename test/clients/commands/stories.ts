import { networks } from './networks.ts'
import { identity } from './identity.ts'
import { images } from './images.ts'
import { servers } from './servers.ts'
import type { Story } from './story.ts'

/** In this order, in one cloud: each section of docs/openstack-commands.md that has its story. */
export const stories: readonly Story[] = [servers, networks, identity, images]
