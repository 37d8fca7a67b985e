import type { DeployTemplate } from '../../contract/deploy-template.ts'
import { store, uniqueName } from './entity.ts'

export const deployTemplateStore = store<DeployTemplate>({
  title: 'deploy template',
  word: 'deploy-template',
  plural: 'deploy-templates',
  uniques: ({ name }) => uniqueName('deploy-template', 'deploy template', name),
})
