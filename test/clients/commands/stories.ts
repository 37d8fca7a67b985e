import { servers } from './servers.ts'
import type { Story } from './story.ts'

/** In this order, in one cloud: each section of docs/openstack-commands.md that has its story. */
export const stories: readonly Story[] = [servers]
