import { run } from '../programs.ts'

/** What there is on a partition. */
export interface FileSystem {
  type: string
  uuid: string
}

/** Undefined: no file system that is known. */
export async function fileSystemOn(partition: string): Promise<FileSystem | undefined> {
  const told = await run('blkid', ['-p', '-o', 'export', partition], 60).catch(() => Buffer.alloc(0))
  const field = (name: string) => new RegExp(`^${name}=([^\\n]+)$`, 'm').exec(told.toString('utf8'))?.[1]
  const [type, uuid] = [field('TYPE'), field('UUID')]
  if (type === undefined || uuid === undefined || !/^[0-9A-Fa-f-]{4,36}$/.test(uuid)) return undefined
  return { type, uuid }
}
