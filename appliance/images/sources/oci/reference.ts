/** `oci://HOST/NAME[:TAG][@DIGEST]`, taken apart. The cloud has checked its form. */
export interface Reference {
  /** HOST[:PORT] */
  registry: string
  repository: string
  /** What its manifest is asked for by: a digest, which says all, or a tag. */
  tag: string
  digest: string | undefined
}

export function readReference(text: string): Reference {
  const [, registry = '', repository = '', tag = 'latest', digest] =
    /^oci:\/\/([^/]+)\/([^:@]+)(?::([^@]+))?(?::?@(sha256:[0-9a-f]{64}))?$/.exec(text) ?? []
  return { registry, repository, tag, digest }
}
