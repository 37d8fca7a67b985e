import { Logger } from '@aws-lambda-powertools/logger'
import type { Log } from '../platform.ts'

export const logger = new Logger()

/** Powertools puts the message first; the facts become keys of the JSON line. */
export const lambdaLog: Log = {
  info: (facts, message) => logger.info(message, facts as Record<string, string>),
  warn: (facts, message) => logger.warn(message, facts as Record<string, string>),
  error: (facts, message) => logger.error(message, facts as Record<string, string>),
}
