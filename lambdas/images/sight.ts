import type { Caller } from '../../contract/identity.ts'
import type { ImageRecord } from '../../contract/image-record.ts'

/** Who sees an image, by whichever of our APIs they ask: its owner's project, those that it is shared with, everybody where it is public or of the
 * community, and who oversees everything. */

export type Whose = Pick<ImageRecord, 'owner' | 'visibility' | 'members'>

export const ownsImage = ({ project }: Caller, { owner }: Pick<Whose, 'owner'>): boolean =>
  owner !== null && owner === project?.id

export const sharedWith = ({ project }: Caller, { visibility, members }: Whose) =>
  visibility === 'shared' ? members.find((member) => member.project === project?.id) : undefined

export function seesImage(caller: Caller, image: Whose): boolean {
  const { roles, system } = caller
  return (
    image.visibility === 'public' ||
    image.visibility === 'community' ||
    ownsImage(caller, image) ||
    sharedWith(caller, image) !== undefined ||
    roles.has('admin') ||
    (system && roles.has('reader'))
  )
}
