import { expect, it } from 'vitest'
import { makeKickstart, ownKickstart, withToken } from './kickstart.ts'

const heartbeat_url = 'https://10.0.0.1:6385/v1/heartbeat/n1'
const tree = { heartbeat_url, repo_url: 'http://x/tree' }
const said = (status: string): string =>
  `curl -d '{"agent_token": "{{ ks_options.agent_token }}", "agent_status": "${status}"}' {{ ks_options.heartbeat_url }}\n`
const own = (...statuses: string[]) => ({ name: 'k', text: `text\n%post\n${statuses.map(said).join('')}%end\n` })

it('installs a tree with its packages, or a live image, and each section ends', () => {
  const packages = makeKickstart(ownKickstart, tree)
  expect(packages).toContain('\nurl --url=http://x/tree\n%packages\n@core\n%end\n')
  const live = makeKickstart(ownKickstart, { ...tree, liveimg_url: 'http://x/live.img' })
  expect(live).toContain('\nliveimg --url=http://x/live.img\n')
  for (const text of [packages, live]) {
    const sections = text.split('\n').filter((line) => /^%(?!end)/.test(line))
    expect(text.split('\n').filter((line) => line === '%end')).toHaveLength(sections.length)
    expect(text).not.toMatch(/\{[{%]/)
  }
  expect(live).not.toContain('%packages')
})

it('says start, error and end with a body that is JSON, and the token that it is given', () => {
  const text = withToken(makeKickstart(ownKickstart, tree), 'the-token')
  const bodies = [...text.matchAll(/-d '(.*)'/g)].map(([, body]) => JSON.parse(body!) as Record<string, string>)
  expect(bodies.map((body) => body['agent_status'])).toEqual(['start', 'error', 'end'])
  for (const body of bodies) expect(body).toMatchObject({ callback_url: '', agent_token: 'the-token' })
  expect(text.match(/\S+$/gm)?.filter((word) => word === heartbeat_url)).toHaveLength(3)
})

it('a config drive is in place before the end is said', () => {
  const text = makeKickstart(own('start', 'error', 'end'), tree, 'QUJD'.repeat(100))
  const [drive, end] = ['END_OF_DRIVE\n', '"agent_status": "end"'].map((part) => text.indexOf(part))
  expect(drive).toBeGreaterThan(0)
  expect(drive).toBeLessThan(end!)
  const encoded = /<<'END_OF_DRIVE'[^\n]*\n(.*)\nEND_OF_DRIVE/s.exec(text)?.[1]
  expect(Buffer.from(encoded!, 'base64').toString()).toBe('ABC'.repeat(100))
})

it.each([
  [{ name: 'k', text: 'text\n' }, 'kickstart k tells nobody how it goes'],
  [own('start', 'end'), 'kickstart k never sends agent_status "error"'],
  [own('start'), 'kickstart k never sends agent_status "end", "error"'],
  [{ name: 'k', text: '{{ x }}' }, 'kickstart k, line 1'],
])('one that leaves the site without word, or that is not understood, is refused', (template, why) => {
  expect(() => makeKickstart(template, tree)).toThrow(why)
})

it('one that its config drive makes too large is refused', () => {
  const all = own('start', 'error', 'end')
  expect(() => makeKickstart(all, tree, 'A'.repeat(300_000))).toThrow(/at most 262144 are served/)
})
