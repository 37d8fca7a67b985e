/** Where ours is meant to differ, with the reason: a difference that a line here fits is counted and not printed. */

export interface Exception {
  /** Fits the request, as `1.82 GET /v1/nodes`; undefined: any. */
  request?: RegExp
  difference: RegExp
  why: string
}

const added: Exception[] = [
  { difference: /^header etag added/, why: 'a resource has its entity tag (RFC 9110 §8.8.3)' },
  {
    difference: /^header (x-openstack|openstack-request-id).* added/,
    why: 'versions and request id are on every reply, on those about routes too',
  },
  { difference: /1\.115\]?[.")]*, Ironic .*1\.82/, why: 'ours speaks newer versions' },
  { difference: /^header x-openstack-request-id added/, why: 'ours speaks newer versions' },
  {
    request: /"(name|unhold|service)"|\/(children|firmware|vmedia)$|runbooks/,
    difference: /^status 40[456] .*(needs API version|Not found)/,
    why: 'ours knows what came after 1.82, and says from when on it is there',
  },
  {
    difference: /^(nodes\[\]\.|deploy_templates\[\]\.)?(firmware|description) added/,
    why: 'ours knows what came after 1.82',
  },
  { difference: /^drivers\[\] has [\w-]+ too|^conductors\[\]\.drivers/, why: 'all drivers are served always' },
  {
    difference: /enabled_\w+_interfaces\[\]/,
    why: 'enabled interfaces are all that there are, in order of priority (Ironic’s order is that of a hash)',
  },
  { difference: /^fake_\w+_delay added|^B[12] missing/, why: 'fake hardware’s properties are those that it has' },
  { request: /GET \/v1\/events/, difference: /^status 200, Ironic 405/, why: 'events can be read' },
]

const words: Exception[] = [
  { difference: /^description "Bloomery/, why: 'it says what it is' },
  { difference: /Ironic "Request not acceptable\./, why: 'it says what needs which version' },
  { difference: /Ironic "\w+ is not acceptable in this API version/, why: 'it says what needs which version' },
  {
    difference:
      /^error_message\.(description|faultstring) "(The method|The resource|Not found|Version|Invalid value for X-|Mutually)/,
    why: 'a refusal of a route or version says what would do',
  },
  {
    difference:
      /^error_message\.((code|title|description) (added|missing)|(faultcode|faultstring|debuginfo) (added|missing))/,
    why: 'what is refused for its path or version alone has one form (Ironic has two); clients read both',
  },
  {
    difference: /^error_message\.faultstring "Cannot patch .*Only the following/,
    why: 'what can be updated is listed by name, newer fields too',
  },
  {
    difference: /^error_message\.faultstring "(Cannot change|Cannot create) .*invalid name/,
    why: 'the request says which node',
  },
  {
    difference: /"The sort_key value \w+ is an invalid field for sorting: there is/,
    why: 'it says what can be sorted by',
  },
  { difference: /"No valid host was found\. Reason: No conductor service registered/, why: 'it says what there is' },
  {
    difference: /Ironic "Schema error for \w+: .*(, 'null'|too long|schemas\.|is a required property)/,
    why: 'the value is cut, the place told; all that is missing is named',
  },
  {
    difference: /Ironic "(Invalid \w+( format)?|RAID config validation error): /,
    why: 'the schema is not repeated to who broke it',
  },
  {
    difference: /Ironic "Schema error for (template: 'x' does not|evts|patch: 'x' is not)/,
    why: 'the value and its place are told',
  },
  {
    difference:
      /Ironic "(Duplicate|Deploy template invalid|Port with physical network|Nodes cannot be found|Invalid input for field)/,
    why: 'it says which',
  },
  { request: /logical_disk_properties/, difference: /"/, why: 'descriptions are our own' },
  { request: /inventory/, difference: /Node inventory record/, why: 'a node is told by its uuid, not by its row' },
  {
    difference: /Ironic "Unrecognized fault|Ironic "Portgroup None/,
    why: 'newer faults are known; what is missing is named',
  },
]

const wordsOfOne: Exception[] = [
  { difference: /^links\[\]\.href "https:\/\/docs/, why: 'an address without doubled slashes' },
  { difference: /"Schema error for \w+: '(x{50}|CUSTOM_X)/, why: 'a value that is long is cut' },
  { difference: /Reason: member '\w+' not found in the document/, why: 'the document is not repeated' },
  {
    request: / \{$/,
    difference: /^(faultcode|faultstring|error_message) (added|missing)/,
    why: 'a body that is not JSON is refused, in the form of the guards of bodies',
  },
  { request: /"target":null/, difference: /Expected string for target: None/, why: 'null is no verb' },
  {
    difference: /Expected types <class 'NoneType'>, <class 'dict'>, <class 'str'>/,
    why: 'the types of another language are not told',
  },
  { difference: /'mode' is a required property/, why: 'what can’t be removed is told in one way' },
  { difference: /Invalid local_link_connection: /, why: 'it says what a connection needs' },
  {
    difference: /Schema error for template: 'network'|Schema error for target: 'x'/,
    why: 'the place is told, newer interfaces are known',
  },
  { difference: /^error_message\.faultstring "Can not specify \?detail=True/, why: 'said in one way for all lists' },
  {
    difference: /^instance_info\.(hashed_)?rescue_password missing/,
    why: 'the password is sealed at once and never kept with the image',
  },
]

const deeds: Exception[] = [
  {
    difference: /^power_state "power off", Ironic "power on"/,
    why: 'a machine that is torn down is off, a fake one too',
  },
  {
    request: /states\/power .*"fly"/,
    difference: /in state "power off"/,
    why: 'fake machines are off until they are switched on; Ironic’s know nothing',
  },
  {
    request: /boot_device/,
    difference: /^persistent true, Ironic false/,
    why: 'fake machines remember what was asked of them',
  },
  {
    request: /allocations/,
    difference: /^(updated_at|node_uuid|state) .*, Ironic (null|"allocating")/,
    why: 'placed before the next request; Ironic’s is still at it',
  },
  { difference: /^status 4\d\d .*, Ironic 500 /s, why: 'Ironic fails where the caller is at fault' },
  { difference: /^status 20\d, Ironic 500 /s, why: 'Ironic fails where there is an answer' },
  { difference: /conductor_group "lab", Ironic ""/, why: 'the only site is everybody’s, and has a name' },
  { request: /conductor_group=/, difference: /^nodes\[\]/, why: 'the only site is everybody’s, and has a name' },
  { difference: /conductors\/conductor-1", Ironic/, why: 'each has the name that it was started with' },
  {
    difference: /^status 404 .*, Ironic 400 \((Field \w+ is not|Missing mandatory)/,
    why: 'Ironic takes an unknown path for a field of the node',
  },
  {
    difference: /^status 40[45] .*, Ironic 40[05] \((Missing mandatory|Schema error|\))/,
    why: 'a method that the path doesn’t have is 405 whatever its body says',
  },
  { difference: /^header allow/, why: 'methods that the path has are named, and no others' },
  {
    request: /^1\.\d+ (HEAD|OPTIONS)/,
    difference: /^status|^header|^body/,
    why: 'HEAD is GET without a body (RFC 9110 §9.3.2); OPTIONS is nobody’s',
  },
  {
    request: /^(–|1\.82|1\.9999) (POST|GET) \/(v1)? ?/,
    difference: /^status 40[56] .*, Ironic 200/,
    why: 'the root is read only, and a version that is not spoken is refused there too',
  },
  {
    difference: /^(status|error_message).*(406 Not Acceptable|content of type)/s,
    why: 'there is JSON only, whatever is accepted',
  },
  {
    request: /–|baremetal/,
    difference: /^header x-openstack-ironic-api-version 1\.72/,
    why: 'the generic header is honoured, as later versions of Ironic do',
  },
  {
    difference: /^(reservation|nodes\[\]\.reservation) null, Ironic "<host>"/,
    why: 'a node is never locked while it is only written',
  },
  { difference: /^next "/, why: 'the next page repeats what was asked for, at the path that was asked' },
  {
    difference: /^(chassis\[\]\.)?nodes\[\]( has 2, Ironic 1| \{"rel":"self")/,
    why: 'Ironic nests these links by mistake',
  },
  { request: /chassis/, difference: /^(chassis\[\]\.)?nodes\[\] (has|\{)/, why: 'Ironic nests these links by mistake' },
  {
    request: /\/v1\/(lookup|heartbeat)/,
    difference: /^(status|error)/,
    why: 'ramdisks look themselves up at their site’s appliance',
  },
  {
    difference: /^driver_internal_info\.|is_whole_disk_image|instance_info\.image_type/,
    why: 'what the site notes for itself is its own',
  },
  { difference: /^history\[\]/, why: 'history tells every change of state, not errors alone' },
  {
    request: /states|fields=.*power_state/,
    difference: /^power_state "power off", Ironic null/,
    why: 'fake machines are off until they are switched on; Ironic’s know nothing',
  },
  { request: /boot_device$/, difference: /^(boot_device|persistent) null/, why: 'what nobody has set is not known' },
  { request: /supported$/, difference: /^supported_boot_devices/, why: 'fake machines have every boot device' },
  {
    request: /boot_device/,
    difference: /^status 409 .*Ironic 204/,
    why: 'a second order while the first is on its way to the BMC; clients try again',
  },
  {
    request: /states\/(boot_mode|secure_boot)/,
    difference: /^status 400 .*Ironic 202/,
    why: 'what the hardware can’t is refused at once, not in last_error',
  },
  {
    request: /states$/,
    difference: /^last_error null, Ironic "Failed to change/,
    why: 'what the hardware can’t is refused at once, not in last_error',
  },
  {
    request: /indicators$/,
    difference: /^status 404 .*Ironic 200/,
    why: 'indicators are there from 1.63 on, as documented',
  },
  {
    request: /traits/,
    difference: /HW_NOTHING|traits\[\]|A single node trait|exceed the maximum/,
    why: 'standard traits are known by their form: a new one need not wait for us',
  },
  {
    request: /boot_index":-1|volume\/targets/,
    difference: /less than the minimum|^targets\[\]/,
    why: 'a boot index counts from 0',
  },
  { request: /nodes\/[^/]+\/ports\?address/, difference: /^ports\[\]/, why: 'a filter of a node’s ports filters' },
  { request: /shards/, difference: /^shards/, why: 'it counts what there is' },
  { request: /validate/, difference: /^firmware/, why: 'ours knows what came after 1.82' },
  { request: /properties\?driver_name/, difference: /^status 404/, why: 'a driver’s properties are at its own path' },
]

export const exceptions: readonly Exception[] = [...added, ...words, ...wordsOfOne, ...deeds]
