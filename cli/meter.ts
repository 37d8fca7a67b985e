const EVERY_MS = 200
const MIB = 1024 * 1024

/** Tells how many of `total` bytes have gone by: in place on a terminal, at each tenth elsewhere. */
export function meter(what: string, total: number, silent: boolean): (bytes: number) => void {
  const { stderr } = process
  const begun = Date.now()
  let [passed, last, tenth] = [0, 0, 0]
  return (bytes) => {
    passed += bytes
    if (silent) return
    const now = Date.now()
    const ended = passed >= total
    const rate = passed / MIB / Math.max((now - begun) / 1000, 0.001)
    const line = `${what} ${Math.floor((passed / total) * 100)}% of ${(total / MIB).toFixed(0)} MiB, ${rate.toFixed(0)} MiB/s`
    if (stderr.isTTY) {
      if (!ended && now - last < EVERY_MS) return
      last = now
      stderr.write(`\r\u001b[K${line}${ended ? '\n' : ''}`)
    } else if (Math.floor((passed / total) * 10) > tenth) {
      tenth = Math.floor((passed / total) * 10)
      stderr.write(`${line}\n`)
    }
  }
}
