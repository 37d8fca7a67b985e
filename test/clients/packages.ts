/** Debian packages that the cloud's tests call: OpenStack's own client. */
export const requiredPackages: string[] = ['python3-ironicclient', 'python3-openstackclient']
