import type { Volume } from '../../contract/block-storage.ts'
import type { Appliance } from '../../contract/resources.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { limitsOf } from '../openstack/quotas.ts'
import { projectOf, requireAdmin } from '../openstack/rights.ts'
import { allAppliances, isAlive } from '../store/appliances.ts'
import { all } from '../store/paging.ts'
import { PATH } from './path.ts'
import { promisedAt, volumesFor } from './store.ts'

/** What there is to put volumes on: sites are availability zones, appliances with volumes are services and pools. */
export function fleetRoutes(app: Service, ground: Ground): void {
  const { table, clock } = ground
  const hosts = async (): Promise<Appliance[]> =>
    (await allAppliances(table)).filter(({ volumes }) => volumes !== undefined)
  app.get(`${PATH}/os-availability-zone`, async (call) => {
    const there = await hosts()
    const sites = [...new Set(there.map(({ site }) => site))]
    const isThere = (name: string): boolean => there.some((each) => each.site === name && isAlive(each, clock.now()))
    return call.json({
      availabilityZoneInfo: sites.map((zoneName) => ({ zoneName, zoneState: { available: isThere(zoneName) } })),
    })
  })
  app.get(`${PATH}/os-services`, async (call) => {
    requireAdmin(call, 'volume_extension:services:index')
    const services = (await hosts()).map((each) => ({
      binary: 'cinder-volume',
      host: each.name,
      zone: each.site,
      status: 'enabled',
      state: isAlive(each, clock.now()) ? 'up' : 'down',
      updated_at: each.last_seen?.replace(/(\.\d{3})?Z$/, '.000000') ?? null,
      disabled_reason: null,
    }))
    return call.json({ services })
  })
  app.get(`${PATH}/scheduler-stats/get_pools`, async (call) => {
    requireAdmin(call, 'scheduler_extension:scheduler_stats:get_pools')
    const pools = await Promise.all(
      (await hosts()).map(async ({ uuid, name, site, volumes }) => ({
        name: `${name}@${site}`,
        capabilities: {
          volume_backend_name: site,
          storage_protocol: 'iSCSI',
          vendor_name: 'Bloomery',
          total_capacity_gb: volumes?.gib,
          free_capacity_gb: (volumes?.gib ?? 0) - (await promisedAt(table, uuid)),
          allocated_capacity_gb: await promisedAt(table, uuid),
          thin_provisioning_support: true,
        },
      })),
    )
    return call.json({ pools })
  })
  app.get(`${PATH}/limits`, async (call) => {
    const own = await all<Volume>(table, volumesFor(projectOf(call)))
    const gigabytes = own.reduce((sum, { size }) => sum + size, 0)
    const snapshots = own.reduce((sum, each) => sum + each.snapshots.length, 0)
    const limits = await limitsOf(table, projectOf(call))
    return call.json({
      limits: {
        rate: [],
        absolute: {
          maxTotalVolumes: limits.volumes,
          maxTotalVolumeGigabytes: limits.gigabytes,
          maxTotalSnapshots: limits.snapshots,
          maxTotalBackups: 0,
          maxTotalBackupGigabytes: 0,
          totalVolumesUsed: own.length,
          totalGigabytesUsed: gigabytes,
          totalSnapshotsUsed: snapshots,
          totalBackupsUsed: 0,
          totalBackupGigabytesUsed: 0,
        },
      },
    })
  })
  app.get(`${PATH}/extensions`, (call) => call.json({ extensions: [] }))
}
