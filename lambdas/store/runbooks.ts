import type { Runbook } from '../../contract/runbook.ts'
import { store, uniqueName } from './entity.ts'

export const runbookStore = store<Runbook>({
  title: 'runbook',
  word: 'runbook',
  plural: 'runbooks',
  uniques: ({ name }) => uniqueName('runbook', 'runbook', name),
})
