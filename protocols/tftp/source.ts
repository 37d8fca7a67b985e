export interface TftpFile {
  size: number
  /** Exactly `length` bytes, or fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
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
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
}
