import type { InspectionRule } from '../../contract/inspection-rule.ts'
import { store } from './entity.ts'

export const inspectionRuleStore = store<InspectionRule>({
  title: 'inspection rule',
  word: 'inspection-rule',
  plural: 'inspection-rules',
})

/** All of them. */
export const inspectionRuleList = { index: 'all' as const, pk: 'inspection-rules' }
