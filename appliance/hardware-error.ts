/** The machine, its BMC or its network did not do what a step asked: the step fails and the node shows this sentence. */
export class HardwareError extends Error {
  override readonly name = 'HardwareError'
}

/** An error and its causes in one line, each said once. */
export function sentence(error: unknown): string {
  const parts: string[] = []
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) {
    if (at.message && !parts.some((part) => part.includes(at.message))) parts.push(at.message)
  }
  return parts.length > 0 ? parts.join(': ') : String(error)
}
