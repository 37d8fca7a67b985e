/** Prometheus' text format 0.0.4, read as strictly as its own parser does: for tests of what it is to scrape. Throws at the line that is wrong. */
export interface Family {
  type: string
  samples: Array<[name: string, labels: Record<string, string>, value: number]>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y
const suffixes = ['', '_bucket', '_sum', '_count']

export function exposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let open: [string, Family] | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('# HELP ')) continue
    const typed = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line)
    if (typed) {
      const [, name = '', type = ''] = typed
      if (!NAME.test(name) || families.has(name)) throw new Error(`a second or bad TYPE: ${line}`)
      open = [name, { type, samples: [] }]
      families.set(...open)
      continue
    }
    const [, name = '', labels, value = ''] = SAMPLE.exec(line) ?? []
    const belongs = open !== undefined && suffixes.some((suffix) => name === `${open?.[0]}${suffix}`)
    if (name === '' || !belongs) throw new Error(`a sample of no family, or none at all: ${line}`)
    if (seen.has(line.slice(0, line.lastIndexOf(' ')))) throw new Error(`a series twice: ${line}`)
    seen.add(line.slice(0, line.lastIndexOf(' ')))
    const number = value === '+Inf' ? Infinity : Number(value)
    if (Number.isNaN(number)) throw new Error(`no number: ${line}`)
    open?.[1].samples.push([name, labelsOf(labels, line), number])
  }
  return families
}

function labelsOf(text: string | undefined, line: string): Record<string, string> {
  const found: Record<string, string> = {}
  if (text === undefined) return found
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    LABEL.lastIndex = at
    const [, name = '', value = ''] = LABEL.exec(text) ?? []
    if (name === '' || Object.hasOwn(found, name)) throw new Error(`bad labels: ${line}`)
    found[name] = value.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return found
}
