import { z } from 'zod'

const MOST_FILES = 256
/** In base64; the site's messages are smaller, a node's properties may be larger. */
const LARGEST = 16 * 1024 * 1024
const mode = z
  .union([z.number().int().min(0).max(0o7777), z.string().regex(/^(0o?)?[0-7]{1,4}$/)])
  .transform((given) => (typeof given === 'number' ? given : Number.parseInt(given.replace(/^0o/, ''), 8)))
const owner = z.union([z.number().int().min(0).max(0xff_ff_ff_fe), z.string().regex(/^[\w.-]{1,64}\$?$/)])

/** A file that inject_files puts into the system that was written, under Ironic's keys. */
export const wantedFile = z.strictObject({
  path: z
    .string()
    .max(4096)
    .regex(/^\/[^\0]*[^/\0]$/, 'not an absolute path of a file')
    .refine((path) => !path.split('/').includes('..'), 'has .. in it'),
  /** Number, device or UUID; without it the first partition that has the first folder of the path. */
  partition: z.union([z.number().int().min(1).max(128), z.string().regex(/^[\w./-]{1,64}$/)]).nullish(),
  deleted: z.boolean().default(false),
  /** Base64, or a URL. */
  content: z.string().max(LARGEST).nullish(),
  mode: mode.nullish(),
  dirmode: mode.nullish(),
  owner: owner.nullish(),
  group: owner.nullish(),
})
export type WantedFile = z.output<typeof wantedFile>

export const injectArguments = z.looseObject({
  files: z.array(wantedFile).max(MOST_FILES).default([]),
  verify_ca: z.boolean().default(true),
})

/** What people wrote in the node's properties comes first. */
export const filesOfNode = z.array(wantedFile).max(MOST_FILES)

/** Base64 as MIME has it, in lines or in one; undefined: it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const packed = text.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.length % 4 !== 0) return undefined
  return Buffer.from(packed, 'base64')
}
