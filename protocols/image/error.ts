/** An image that isn't what it is said to be, or that can't be used. The message is a clause, as in "image X can't be used: <message>". */
export class ImageError extends Error {
  override name = 'ImageError'
}
