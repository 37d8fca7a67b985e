/** What of sushy is not walked over our service, and why; all else is, or the test of it fails. */
const reasons: Readonly<Record<string, string>> = {
  'CompositionService.*': 'composes machines of parts: no machine of a rack has it, nor has Ironic a use for it',
  'ResourceBlock.*': 'of the composition service',
  'ResourceBlockCollection.*': 'of the composition service',
  'ResourceZone.*': 'of the composition service',
  'ResourceZoneCollection.*': 'of the composition service',
  'Sushy.get_composition_service': 'of the composition service',
  'Fabric.*': 'switches between machines and storage, which are behind no BMC',
  'Endpoint.*': 'of fabrics',
  'Sushy.get_fabric': 'of fabrics',
  'Sushy.get_fabric_collection': 'of fabrics',
  'UpdateService.get_task_monitor': 'fails in sushy: it gives the monitor an argument that it does not have',
  'Task.is_processing': 'fails in sushy: it asks the task for the status code of an answer',
  'VirtualMedia.is_transfer_protocol_required': 'judges a refusal in the course of insert_media',
  'ResourceBase.oem_vendors': 'fails in sushy where a composite field of the resource is absent',
  'ResourceBase.get_oem_extension': 'loads plugins that vendors write for sushy',
  'ResourceBase.clone_resource': 'copies an object in memory; no request comes of it',
  'TaskMonitor.from_response': 'is what makes a monitor of an answer; each deed that has one calls it',
}

export function whyNot(member: string): string | undefined {
  return reasons[member] ?? reasons[`${member.split('.')[0]}.*`]
}

/** Rows for what is not there, or walked by now. */
export function staleReasons(members: readonly string[], walked: ReadonlySet<string>): string[] {
  return Object.keys(reasons).filter((row) => {
    const covered = members.filter((member) => member === row || `${member.split('.')[0]}.*` === row)
    return covered.length === 0 || covered.some((member) => walked.has(member))
  })
}
