/**
 * What kickstart templates of Ironic use of Jinja (https://jinja.palletsprojects.com): `{{ ks_options.NAME }}`, `{% if %}` with `elif`, `else` and
 * `endif` on whether an option is there, and comments. Whatever else a template has is refused with its line: half-understood, it would
 * partition a disk by chance.
 */
export type Options = Readonly<Record<string, string | boolean | undefined>>

interface Branch {
  /** Text of this branch is wanted. */
  live: boolean
  /** One of the branches so far was. */
  taken: boolean
  outer: boolean
}

const TAG = /\{\{(.*?)\}\}|\{%-?(.*?)-?%\}|\{#.*?#\}/gs
const NAME = String.raw`ks_options(?:\.(\w+)|\[['"](\w+)['"]\])`
const VALUE = new RegExp(`^${NAME}$`)
const THERE = new RegExp(`^(?:${NAME}|['"](\\w+)['"]\\s+in\\s+ks_options)$`)
const MOST_DEEP = 16

/** Throws RangeError: what is wrong, and in which line. */
export function renderTemplate(template: string, options: Options): string {
  const open: Branch[] = []
  const isLive = (): boolean => open.at(-1)?.live ?? true
  let text = ''
  let from = 0
  for (const tag of template.matchAll(TAG)) {
    const wrong = (why: string): RangeError =>
      new RangeError(`line ${template.slice(0, tag.index).split('\n').length}: ${tag[0].slice(0, 80)}: ${why}`)
    if (isLive()) text += template.slice(from, tag.index)
    from = tag.index + tag[0].length
    if (tag[1] !== undefined) {
      const name = nameIn(VALUE, tag[1])
      if (name === undefined) throw wrong('only {{ ks_options.NAME }} is understood')
      if (isLive()) text += valueOf(options, name, wrong)
    } else if (tag[2] !== undefined) {
      branch(tag[2].trim(), open, options, wrong)
      // As trim_blocks: a line of its own leaves none.
      if (template[from] === '\n') from += 1
    }
  }
  if (open.length > 0) throw new RangeError('an {% if %} lacks its {% endif %}')
  return text + template.slice(from)
}

function branch(words: string, open: Branch[], options: Options, wrong: (why: string) => RangeError): void {
  const [, keyword = '', condition = ''] = /^(\w+)\s*(.*)$/s.exec(words) ?? []
  const last = open.at(-1)
  if (keyword === 'if') {
    if (open.length === MOST_DEEP) throw wrong(`more than ${MOST_DEEP} conditions in each other`)
    const outer = last?.live ?? true
    const holds = isThere(condition, options, wrong)
    open.push({ live: outer && holds, taken: holds, outer })
    return
  }
  if (!['elif', 'else', 'endif'].includes(keyword))
    throw wrong('of statements only if, elif, else and endif are understood')
  if (!last) throw wrong('there is no {% if %} before it')
  open.pop()
  if (keyword === 'endif') return
  const holds = !last.taken && (keyword === 'else' || isThere(condition, options, wrong))
  open.push({ live: last.outer && holds, taken: last.taken || holds, outer: last.outer })
}

function isThere(condition: string, options: Options, wrong: (why: string) => RangeError): boolean {
  const [, not, rest = ''] = /^(not\s+)?(.*)$/s.exec(condition.trim()) ?? []
  const name = nameIn(THERE, rest)
  if (name === undefined) throw wrong("only ks_options.NAME and 'NAME' in ks_options are understood as conditions")
  const there = options[name] !== undefined && options[name] !== '' && options[name] !== false
  return not === undefined ? there : !there
}

function nameIn(pattern: RegExp, text: string): string | undefined {
  return pattern
    .exec(text.trim())
    ?.slice(1)
    .find((name) => name !== undefined)
}

function valueOf(options: Options, name: string, wrong: (why: string) => RangeError): string {
  const value = options[name]
  if (value !== undefined) return String(value)
  const known = Object.keys(options).filter((key) => options[key] !== undefined)
  throw wrong(`there is no such option; there is ${known.join(', ')}`)
}
