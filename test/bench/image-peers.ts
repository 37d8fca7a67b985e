import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHUNK_BYTES } from '../../contract/images/manifest.ts'
import { makeImage } from '../../contract/images/testing.ts'
import { openLink } from '../rack/images/link.ts'
import { openPeerSite } from '../rack/images/peer-site.ts'
import { writeAsAgent } from '../rack/images/sharing-agent.ts'

/** One image on 4 and on 32 machines at once, through a site whose way to them is the narrowest place: real cache, server, tracker and agents' own
 * requests, disks that are files. All in one process: what the figures compare is the one way, not processors. */

const CHUNKS = 8
/** Of the site's way to all agents together; slow, so that the processor doesn't count. */
const BYTES_PER_SECOND = 3_000_000
const nothing = (): void => {}
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, recent: () => '' }

export async function bench(): Promise<void> {
  const image = makeImage(randomBytes(CHUNKS * CHUNK_BYTES))
  const dir = mkdtempSync(join(tmpdir(), 'bench-peers-'))
  const site = await openPeerSite(image, { dir: join(dir, 'chunks'), above: 4 })
  const link = await openLink(site.port, () => undefined, BYTES_PER_SECOND)
  const stored = image.manifest.stored_size
  try {
    let few = 0
    for (const machines of [4, 32]) {
      const before = site.toAgents
      const begun = performance.now()
      const all = Array.from({ length: machines }, async (_, at) => {
        const path = join(dir, `${machines}-${at}`)
        await writeAsAgent(await site.infoFor(`${machines}-${at}`, link.port), path, 1, log)
        rmSync(path)
      })
      await Promise.all(all)
      const seconds = (performance.now() - begun) / 1000
      const times = ((site.toAgents - before) / stored).toFixed(2)
      if (machines === 4) few = seconds
      const ratio = machines === 4 ? '' : `, ${(seconds / few).toFixed(2)}x the time of 4 (bar: 2)`
      console.log(`${machines} machines: ${seconds.toFixed(1)} s, the site sent the image ${times} times${ratio}`)
    }
    console.log(`the store gave ${(site.fromStore / stored).toFixed(4)} of the image's bytes (bar: 1.02)`)
  } finally {
    await link.close()
    await site.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
