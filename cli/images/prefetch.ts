import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { isOver, type Prefetch } from '../../contract/images/prefetch.ts'
import { define } from '../context.ts'
import { OutcomeError } from '../usage.ts'

const EVERY_MS = 1000

export function prefetchCommand(): Command {
  const command = new Command('prefetch')
    .argument('<image>', 'name or UUID')
    .description('fetch an image to a site before it is deployed there')
    .requiredOption('--site <site>', 'to all of its appliances')
    .option('--cancel', 'stop what was asked for before')
    .option('--no-wait', 'only ask')
  return define(
    command,
    ['bloomery image prefetch debian-12 --site berlin', 'bloomery image prefetch debian-12 --site berlin --cancel'],
    async (
      { client, print, json },
      [ident],
      { site, cancel, wait }: { site: string; cancel?: boolean; wait: boolean },
    ) => {
      if (cancel) {
        await client.images.cancelPrefetch(ident!, { site })
        return print({ image: ident, site, cancelled: true }, `Site ${site} is told to stop fetching image ${ident}.`)
      }
      let { prefetches } = await client.images.prefetch(ident!, site)
      let told = ''
      const isUnderWay = (): boolean => prefetches.some(({ phase }) => !isOver(phase))
      if (wait)
        while (isUnderWay()) {
          if (!json) told = tell(prefetches, told)
          await sleep(EVERY_MS)
          const now = await client.images.prefetches(ident!)
          prefetches = now.prefetches.filter((each) => each.site === site)
        }
      const bad = prefetches.find(({ phase }) => phase === 'failed' || phase === 'cancelled')
      if (bad) throw new OutcomeError(`${bad.appliance}: ${bad.note ?? 'the prefetch was cancelled'}`)
      const done = wait ? 'is at' : 'is being fetched to'
      print(prefetches, `Image ${ident} ${done} site ${site}: ${prefetches.map((each) => each.appliance).join(', ')}`)
    },
  )
}

function tell(prefetches: Prefetch[], told: string): string {
  const lines = prefetches.map(
    ({ appliance, phase, percent, note }) =>
      `${appliance}: ${phase}, ${percent.toFixed(0)} %${note ? ` (${note})` : ''}\n`,
  )
  const text = lines.join('')
  if (text !== told) process.stderr.write(text)
  return text
}
