/** Where ours is meant to differ, with the reason: a difference that a line here fits is counted and not printed. */

export interface Exception {
  /** Fits the request, as `1.82 GET /v1/nodes`; undefined: any. */
  request?: RegExp
  difference: RegExp
  why: string
}

export const exceptions: readonly Exception[] = [
  { difference: /^header etag added/, why: 'every reply with a resource has its entity tag (RFC 9110 §8.8.3)' },
  {
    difference: /^header (x-openstack|openstack-request-id|x-openstack-request-id).* added/,
    why: 'versions and request id are on every reply, on those about routes too',
  },
  { difference: /"1\.115", Ironic "1\.82"|1\.115, Ironic 1\.82/, why: 'ours speaks newer versions' },
  { difference: /^description "Bloomery/, why: 'it says what it is' },
  { difference: /^status 4\d\d .*, Ironic 500 /, why: 'Ironic fails where the caller is at fault' },
  { difference: /^status 200, Ironic 500 /, why: 'Ironic fails where there is an answer' },
  { difference: /^drivers\[\] has (ipmi|redfish) too/, why: 'all drivers are served always' },
  {
    difference: /(default|enabled)_firmware_interface/,
    why: 'shown with drivers before 1.86, as all enabled interfaces are',
  },
  { difference: /Ironic "Request not acceptable\./, why: 'it says what needs which version' },
  { difference: /^error_message\.description "(The |Not found)/, why: 'it says what is not there' },
  { difference: /is not of type .*, Ironic ".*, 'null'"$/, why: 'that null would do too is not said' },
  { difference: /conductor_group "lab", Ironic ""/, why: 'the only site is everybody’s, and has a name' },
]
