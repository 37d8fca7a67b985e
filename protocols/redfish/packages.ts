/** Debian packages that the tests against other people's programs call. */
export const requiredPackages: string[] = [
  'openssl', // certificates of simulated BMCs
  'python3',
  'python3-sushy', // Ironic's own Redfish library
]
