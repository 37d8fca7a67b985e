import { z } from 'zod'
import { stored } from './stored.ts'

export const chassis = z.object({ ...stored, description: z.string().max(255).nullable() })
export type Chassis = z.infer<typeof chassis>
