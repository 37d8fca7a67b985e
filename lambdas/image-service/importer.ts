/** Fetches what `web-download` names, where nobody waits for it. */
export interface Importer {
  /** This image is to be fetched. Being woken twice, or for nothing, is harmless. */
  wake(image: string): Promise<void>
  /** The data of an image came as one file, which it may cut into chunks. */
  came?(): void
}
