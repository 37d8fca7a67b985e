import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Alarms } from './alarms.ts'
import { Api } from './api.ts'
import { Conductor } from './conductor.ts'
import { Fleet } from './fleet.ts'
import { Images } from './images.ts'
import { Imports } from './imports.ts'
import { Periodic } from './periodic.ts'
import { Reports } from './reports.ts'
import { Store } from './store.ts'
import { Webhooks } from './webhooks.ts'

/** The whole cloud. Functions know each other only through the table, its stream, the reports' queue and the broker. */
export class Bloomery extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)
    const store = new Store(this, 'Store')
    const images = new Images(this, 'Images')
    const fleet = new Fleet(this, 'Fleet')
    const ground = { store, images, fleet }

    const api = new Api(this, 'Api', ground)
    const conductor = new Conductor(this, 'Conductor', ground)
    const reports = new Reports(this, 'Reports', ground)
    const periodic = new Periodic(this, 'Periodic', ground)
    const webhooks = new Webhooks(this, 'Webhooks', ground)
    for (const each of [api, conductor, periodic]) webhooks.wakenBy(each.function)
    webhooks.readBy(api.function)
    const imports = new Imports(this, 'Imports', ground)
    for (const each of [api, periodic]) imports.wakenBy(each.function)
    new Alarms(this, 'Alarms', { api, conductor, reports, periodic, webhooks, imports })

    new CfnOutput(this, 'Endpoint', { value: api.endpoint, description: 'For --os-endpoint and BLOOMERY_ENDPOINT' })
    const { name, secret, description } = api.authentication.forPeople
    new CfnOutput(this, name, { value: secret.secretName, description })
  }
}
