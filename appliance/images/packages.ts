/** Debian packages of the registry that images are fetched from in tests, and of what puts them there. */
export const requiredPackages: string[] = ['docker-registry', 'skopeo']
