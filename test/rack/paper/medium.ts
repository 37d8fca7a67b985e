/** What a machine of paper sees of the medium in its virtual drive. */
export interface Medium {
  /** As the ramdisk's init reads it. */
  network: string
  agentToken: string | undefined
}

/** A BMC fetches it piece by piece; what matters here is at the front: the descriptors, and the ramdisk's configuration. */
export async function readMedium(url: string | undefined, signal: AbortSignal): Promise<Medium> {
  if (url === undefined) throw new Error('booted from a virtual drive that is empty')
  const pieces: Buffer[] = []
  for (let first = 0, size = 1; first < size; first += PIECE) {
    const range = `bytes=${first}-${first + PIECE - 1}`
    const reply = await fetch(url, { signal, headers: { range } })
    if (reply.status !== 206) throw new Error(`the medium answers ${reply.status}`)
    size = Number(reply.headers.get('content-range')?.split('/')[1])
    pieces.push(Buffer.from(await reply.arrayBuffer()))
  }
  const volume = Buffer.concat(pieces)
  if (volume.toString('latin1', 16 * 2048 + 1, 16 * 2048 + 6) !== 'CD001') throw new Error('the medium is no ISO 9660')
  return {
    network: fileOfCpio(volume, 'etc/bloomery/network')?.toString() ?? '',
    agentToken: fileOfCpio(volume, 'etc/bloomery/agent-token')?.toString(),
  }
}

const PIECE = 64 * 1024

function fileOfCpio(volume: Buffer, path: string): Buffer | undefined {
  const name = volume.indexOf(`${path}\0`)
  if (name < 0) return undefined
  const header = name - 110
  const size = Number.parseInt(volume.toString('latin1', header + 54, header + 62), 16)
  const data = name + path.length + 1 + ((4 - ((110 + path.length + 1) % 4)) % 4)
  return volume.subarray(data, data + size)
}
