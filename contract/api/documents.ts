import { z } from 'zod'
import { allocation } from '../allocation.ts'
import { chassis } from '../chassis.ts'
import { deployTemplate } from '../deploy-template.ts'
import { event } from '../event.ts'
import { inspectionRule } from '../inspection-rule.ts'
import { portgroup } from '../portgroup.ts'
import { historyEntry, image, node, port, site } from '../resources.ts'
import { runbook } from '../runbook.ts'
import { volumeConnector, volumeTarget } from '../volume.ts'
import { failedDelivery, webhook, webhookStatus } from '../webhook.ts'
import type { FieldTable } from './matrix.ts'

/** What replies hold, by the collection that a path ends in: the schema that is stored, less what is not shown. */

interface Document {
  name: string
  schema: z.ZodObject
  /** Its line in the matrix, where it has one. */
  table?: FieldTable
}

const link = z.object({ rel: z.string(), href: z.url() })
const linked = { links: z.array(link) }
const hidden = {
  version: true,
  generation: true,
  operation: true,
  power_operation: true,
  keeper: true,
  counted_as: true,
  deadline: true,
  config_drive: true,
  boot_device: true,
} as const

export const documents: Readonly<Record<string, Document>> = {
  nodes: {
    name: 'Node',
    table: 'nodes',
    schema: node.omit(hidden).extend({
      ...linked,
      reservation: z.string().nullable(),
      conductor: z.string().nullable(),
      ports: z.array(link),
      states: z.array(link),
    }),
  },
  ports: { name: 'Port', table: 'ports', schema: shown(port) },
  portgroups: { name: 'Portgroup', table: 'portgroups', schema: shown(portgroup) },
  chassis: { name: 'Chassis', table: 'chassis', schema: shown(chassis) },
  allocations: { name: 'Allocation', table: 'allocations', schema: shown(allocation) },
  deploy_templates: { name: 'DeployTemplate', table: 'deploy_templates', schema: shown(deployTemplate) },
  runbooks: { name: 'Runbook', table: 'runbooks', schema: shown(runbook) },
  inspection_rules: { name: 'InspectionRule', table: 'inspection_rules', schema: shown(inspectionRule) },
  connectors: { name: 'VolumeConnector', table: 'connectors', schema: shown(volumeConnector) },
  targets: { name: 'VolumeTarget', table: 'targets', schema: shown(volumeTarget) },
  history: { name: 'HistoryEntry', table: 'history', schema: historyEntry.omit({ about: true }).extend(linked) },
  sites: { name: 'Site', schema: site.omit({ version: true }) },
  images: {
    name: 'Image',
    schema: image.omit({ version: true }).extend({ used_by_nodes: z.int().nonnegative().optional() }),
  },
  events: { name: 'Event', schema: event },
  webhooks: { name: 'Webhook', table: 'webhooks', schema: shown(webhook).extend({ status: webhookStatus.optional() }) },
  failures: { name: 'FailedDelivery', schema: failedDelivery },
}

function shown(schema: z.ZodObject): z.ZodObject {
  return schema.omit({ version: true }).extend(linked)
}
