import { join } from 'node:path'
import { serve, type Served } from '../../scenarios/bloomery-process.ts'
import { enrolled } from './enrolled.ts'
import { Caller, quantile } from './caller.ts'

const PAGES = [1000, 100_000] as const
const WARM = 20
const ROUNDS = 200

/** The same page in the middle of few and of many, in turn, so that both meet the same weather. */
export async function pageCosts(dir: string): Promise<string> {
  const [few, many] = PAGES
  return withNodes(join(dir, 'few'), few, (small, ofFew) =>
    withNodes(join(dir, 'many'), many, async (large, ofMany) => {
      const took: [number[], number[]] = [[], []]
      const callers = [new Caller(small.endpoint, 1), new Caller(large.endpoint, 1)] as const
      for (let round = -WARM; round < ROUNDS; round += 1)
        for (const [at, uuids] of [ofFew, ofMany].entries()) {
          const begin = performance.now()
          await callers[at]!.call({ method: 'GET', path: `/v1/nodes?limit=100&marker=${uuids[uuids.length >> 1]}` })
          if (round >= 0) took[at]!.push(performance.now() - begin)
        }
      for (const caller of callers) caller.close()
      const [a, b] = took.map((each) => quantile(each, 0.5)) as [number, number]
      const ratio = (b / a).toFixed(2)
      return `A page of 100 in the middle: of ${few} nodes ${a.toFixed(2)} ms, of ${many} ${b.toFixed(2)} ms: ${ratio}×.\n`
    }),
  )
}

async function withNodes<T>(
  dir: string,
  count: number,
  act: (cloud: Served, uuids: string[]) => Promise<T>,
): Promise<T> {
  const uuids = await enrolled(dir, count)
  const cloud = await serve(dir)
  try {
    return await act(cloud, uuids)
  } finally {
    await cloud.kill('SIGTERM')
  }
}
