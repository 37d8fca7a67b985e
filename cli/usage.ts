/** Wrong use of the command line: says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What was asked for was done wrongly or not at all: an operation that ended elsewhere than in its goal. */
export class OutcomeError extends Error {
  override readonly name = 'OutcomeError'
}

export const exitCodes = { failed: 1, usage: 2, refused: 3, unreachable: 4 } as const
