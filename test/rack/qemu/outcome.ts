import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** What a program wrote, when it succeeded; else an error with what it said. */
export async function outputOf(child: ChildProcess, deadlineMs = 60_000): Promise<string> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const late = setTimeout(() => {
    child.kill('SIGTERM')
    child.stdout?.destroy() // a child of the child may hold it open
    child.stderr?.destroy()
  }, deadlineMs)
  const [code, signal] = await once(child, 'close')
  clearTimeout(late)
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code ?? signal}: ${output}`)
  return output
}
