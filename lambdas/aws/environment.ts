import { z } from 'zod'

/** What cdk/ tells every function. */
const environment = z.object({
  TABLE: z.string().min(1),
  BLOBS: z.string().min(1),
  APPLIANCE_POLICY: z.string().min(1),
})
export type Environment = z.infer<typeof environment>

export function environmentOf(variables: Record<string, string | undefined>): Environment {
  const parsed = environment.safeParse(variables)
  if (parsed.success) return parsed.data
  const names = parsed.error.issues.map(({ path }) => path.join('.')).join(', ')
  throw new Error(`the function's environment lacks ${names}: cdk/ sets them for every function`)
}
