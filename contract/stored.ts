import { z } from 'zod'
import { instant, jsonObject, uuid } from './resources.ts'

/** What all resources of the API that have a uuid have in common. */
export const stored = {
  uuid,
  extra: jsonObject,
  created_at: instant,
  updated_at: instant.nullable(),
  version: z.int().positive(),
}

/** Traits are of the standard catalogue or begin with CUSTOM_; both have this form. */
export const traitName = z
  .string()
  .max(255)
  .regex(/^[A-Z][A-Z0-9_]*$/, 'a trait is CUSTOM_… or a standard one: A-Z, 0-9 and _')

export const invalidName = 'invalid name'
/** RFC 3986 unreserved characters; not like a uuid, or the two couldn't be told apart in a path. */
export const logicalName = z
  .string()
  .regex(/^[A-Za-z0-9\-._~]{1,255}$/, invalidName)
  .refine((value) => !uuid.safeParse(value).success, invalidName)

export const unrecognizedBoolean =
  "Unrecognized value, acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
/** A boolean as OpenStack takes it: clients send the words of their command line. */
export const boolean = z.union(
  [
    z.boolean(),
    z
      .string()
      .trim()
      .toLowerCase()
      .pipe(z.enum(['1', 't', 'true', 'on', 'y', 'yes', '0', 'f', 'false', 'off', 'n', 'no']))
      .transform((word) => ['1', 't', 'true', 'on', 'y', 'yes'].includes(word)),
  ],
  unrecognizedBoolean,
)
