import { z } from 'zod'
import { command, type Command } from '../api/commands.ts'
import type { Machine } from '../machine/machine.ts'

const params = z.looseObject({
  rescue_password: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\r\n:]+$/, 'a password is one line without a colon'),
  hashed: z.boolean().default(false),
})

export function rescueExtension(machine: Machine): Record<string, Command> {
  return {
    finalize_rescue: command(false, params, async ({ rescue_password: password, hashed }) => {
      await machine.allowRescue(hashed ? password : await machine.hashPassword(password))
      return null
    }),
  }
}
