import type { Content } from './block-slice.ts'

export interface TftpFile {
  size: number
  /** Exactly `length` bytes, or fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** The same bytes, for a sender that goes round Node: an open file, until `close`, or memory that doesn't change. */
  content?: Content
  close?(): Promise<void>
}

export interface TftpClient {
  address: string
  port: number
}

/** Decides what is served: undefined is "file not found". */
export type TftpSource = (name: string, client: TftpClient) => Promise<TftpFile | undefined>

export function fileOf(bytes: Uint8Array): TftpFile {
  return {
    size: bytes.length,
    content: { bytes },
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
}
