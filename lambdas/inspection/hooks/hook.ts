import type { InspectionOptions } from '../../../contract/inspection-options.ts'
import type { Node, Port } from '../../../contract/resources.ts'
import type { Found } from '../found.ts'

type Json = Record<string, unknown>

/** What an inspection found, and what an operator wants of it. */
export interface Finding {
  found: Found
  /** As the ramdisk told it, each key perhaps missing or strange. */
  plugin_data: Json
  options: InspectionOptions
}

/** What the node's ports come to be. */
export interface PortsDraft {
  add: PortOfCard[]
  keep: Port[]
  remove: Port[]
}
export type PortOfCard = Pick<Port, 'address' | 'pxe_enabled' | 'local_link_connection' | 'physical_network'>

/** A hook of an inspection, as Ironic's of the same name: pure functions, of which each may have any. */
export interface Hook {
  /** Why the inspection fails. */
  refuses?(finding: Finding): string | undefined
  node?(node: Node, finding: Finding): Node
  ports?(draft: PortsDraft, finding: Finding): PortsDraft
  /** What is kept beside what the ramdisk told. */
  plugin_data?(finding: Finding): Json
}
