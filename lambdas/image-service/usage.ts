import type { Service } from '../openstack/context.ts'
import { limitsOf, usageOf } from '../openstack/quotas.ts'
import { projectOf } from '../openstack/rights.ts'
import type { Table } from '../platform.ts'
import { imageResources } from './counted.ts'
import { PATH } from './path.ts'

/** What the caller's project may have of images, and has: sizes in MiB. Limits are set by Keystone's API (lambdas/identity/limits.ts). */
export function usageRoutes(app: Service, { table }: { table: Table }): void {
  app.get(`${PATH}/info/usage`, async (call) => {
    const project = projectOf(call)
    const [limits, used] = await Promise.all([limitsOf(table, project), usageOf(table, project)])
    const each = imageResources.map((name) => [name, { limit: limits[name], usage: used[name] }])
    return call.json({ usage: Object.fromEntries(each) })
  })
}
