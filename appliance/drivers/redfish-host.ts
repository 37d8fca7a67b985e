/** Name or address of a BMC, of its `redfish_address`. */
export function redfishHost(address: string): string {
  return new URL(address.includes('://') ? address : `https://${address}`).hostname.replace(/^\[|\]$/g, '')
}
