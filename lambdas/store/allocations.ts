import type { Allocation } from '../../contract/allocation.ts'
import { store, uniqueName } from './entity.ts'

export const ALLOCATIONS_DUE = 'due-allocations'

/** While one waits for its node it is due: whoever finds it goes on with it. */
export const allocationStore = store<Allocation>({
  title: 'allocation',
  word: 'allocation',
  plural: 'allocations',
  lists: ({ state, owner }) => ({
    state: allocationsIn(state).pk,
    ...(owner === null ? {} : { owner: allocationsFor(owner).pk }),
    ...(state === 'allocating' ? { due: ALLOCATIONS_DUE } : {}),
  }),
  uniques: ({ name }) => uniqueName('allocation', 'allocation', name),
})

export const allocationsIn = (state: string) => ({ index: 'state' as const, pk: `allocation-state#${state}` })
export const allocationsFor = (owner: string) => ({ index: 'owner' as const, pk: `allocations-for#${owner}` })
