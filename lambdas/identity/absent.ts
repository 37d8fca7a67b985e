/** What of Keystone is not here, and why. Pure. */

const CATALOGUE = 'the catalogue is what this cloud serves, and is not changed by hand'
const IMPLIED = 'implied roles are fixed: administrators are members, members are readers'
const PASSWORDS = 'people log in with passwords, and programs with application credentials'

const absent: ReadonlyArray<[RegExp, string]> = [
  [/^\/v3\/domains/, 'there is one domain, default'],
  [/^\/v3\/(services|endpoints|regions|OS-EP-FILTER|OS-ENDPOINT-POLICY)/, CATALOGUE],
  [/^\/v3\/(roles\/[^/]+\/implies|role_inferences)/, IMPLIED],
  [/^\/v3\/(OS-OAUTH1|OS-TRUST|credentials|users\/[^/]+\/(credentials|access_rules|OS-OAUTH1))/, PASSWORDS],
  [/^\/v3\/OS-FEDERATION/, 'there is no federation'],
  [/^\/v3\/policies/, 'who may do what follows from roles, and is fixed'],
]

/** `path` begins behind /identity. */
export function whyAbsent(path: string): string | undefined {
  return absent.find(([form]) => form.test(path))?.[1]
}
