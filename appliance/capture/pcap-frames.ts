/** pcap-savefile(5): a header of the file, then of each packet, whose third word is how many bytes of it follow. */
const FILE_HEADER = 24
const PACKET_HEADER = 16
const LENGTH_AT = 8

/** Counts the packets of a pcap stream as it goes by, and knows where the last whole one ends. */
export class PcapFrames {
  packets = 0
  /** Bytes that make a whole file. */
  whole = 0
  #seen = 0
  #skip = FILE_HEADER
  readonly #header = Buffer.alloc(PACKET_HEADER)
  #have = 0

  /** As tcpdump writes on this host: little-endian on every processor that we run on. */
  feed(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const part = Math.min(this.#skip, chunk.length - at)
        this.#skip -= part
        at += part
        this.#seen += part
        if (this.#skip === 0) this.#ended()
        continue
      }
      const part = Math.min(PACKET_HEADER - this.#have, chunk.length - at)
      this.#header.set(chunk.subarray(at, at + part), this.#have)
      this.#have += part
      at += part
      this.#seen += part
      if (this.#have < PACKET_HEADER) continue
      this.#have = 0
      this.#skip = this.#header.readUInt32LE(LENGTH_AT)
      if (this.#skip === 0) this.#ended()
    }
  }

  #ended(): void {
    if (this.whole > 0) this.packets += 1
    this.whole = this.#seen
  }
}
