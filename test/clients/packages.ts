/** Debian packages of the clients that these tests bring. */
export const requiredPackages: string[] = [
  'genisoimage',
  'golang-github-gophercloud-gophercloud-dev',
  'golang-go',
  'python3-ironicclient',
  'python3-nova',
  'python3-openstackclient',
  'python3-openstacksdk',
  'python3-osc-placement',
]
