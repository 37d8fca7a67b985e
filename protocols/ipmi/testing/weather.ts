import type { PaperNet } from './paper-net.ts'

/** What a network does to packets, each by its own rule, so that every run is the same. */
export const weather: Record<string, (net: PaperNet) => void> = {
  'nothing amiss': () => undefined,
  'every second request lost': (net) => {
    let count = 0
    net.loses = (direction) => direction === 'to BMC' && count++ % 2 === 0
  },
  'every second answer lost': (net) => {
    let count = 0
    net.loses = (direction) => direction === 'to console' && count++ % 2 === 0
  },
  'every answer doubled': (net) => {
    net.noise = (answer) => [answer, answer]
  },
  'old answers before the new one': (net) => {
    const old: Uint8Array[] = []
    net.noise = (answer) => {
      const late = old.slice(-3).reverse()
      old.push(answer)
      return late
    }
  },
  'every answer preceded by itself with a byte changed': (net) => {
    net.noise = function* (answer) {
      for (let at = 0; at < answer.length; at += 1)
        yield answer.map((byte, index) => (index === at ? byte ^ 0x40 : byte))
    }
  },
  'every answer preceded by itself cut short': (net) => {
    net.noise = function* (answer) {
      for (let length = 0; length < answer.length; length += 1) yield answer.subarray(0, length)
    }
  },
}
