/** A rule says no, or can't be applied to this machine: its inspection fails. */
export class RuleError extends Error {
  override readonly name = 'RuleError'
}
