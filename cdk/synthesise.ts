import { App, type AppProps, Validations } from 'aws-cdk-lib'
import type { CloudAssembly } from 'aws-cdk-lib/cx-api'
import { AwsSolutionsChecks } from 'cdk-nag'
import { Bloomery } from './bloomery.ts'

export const STACK = 'Bloomery'

/** Without bundling: for tests that read the template only. */
export const unbundled: AppProps = { context: { 'aws:cdk:bundling-stacks': [] } }

/** Throws when cdk-nag finds what nobody accepted. */
export function synthesise(props?: AppProps): CloudAssembly {
  const app = new App(props)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  new Bloomery(app, STACK)
  return app.synth()
}
