/** As Placement names a node's resource class (nova: obj_fields.ResourceClass.normalize_name). */
export function customClass(text: string): string {
  return `CUSTOM_${text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`
}
