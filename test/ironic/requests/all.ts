import { belowNodesRequests } from './below-nodes.ts'
import { hardwareRequests } from './hardware.ts'
import { nodeRequests } from './nodes.ts'
import { firstRequests, lastRequests } from './others.ts'
import type { Step } from './script.ts'
import { stateRequests } from './states.ts'

/** In this order: each finds what those before it have made. */
export const requests: Step[] = [
  ...firstRequests,
  ...nodeRequests,
  ...stateRequests,
  ...belowNodesRequests,
  ...hardwareRequests,
  ...lastRequests,
]
