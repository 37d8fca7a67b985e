import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { DEPLOY_LOG_BYTES, type DeployLogView } from '../contract/deploy-log.ts'
import { define } from './context.ts'
import { tabular } from './output.ts'
import { OutcomeError, UsageError } from './usage.ts'

const DOWNLOAD_MS = 120_000

/** What ramdisks of a node logged. */
export function logsCommand(): Command {
  const command = new Command('logs')
    .argument('<node>', 'name or UUID')
    .description('what ramdisks of a node logged: by default of operations that failed, for 30 days')
    .option('--output <file>', 'fetches one: a new file, for tar')
    .option('--log <uuid>', 'which; else the newest')
  return define(
    command,
    ['bloomery node logs n1', 'bloomery node logs n1 --output n1.tar.gz && tar -tzf n1.tar.gz'],
    async ({ client, print }, [ident], { output, log: wanted }: { output?: string; log?: string }) => {
      const { deploy_logs: logs } = await client.nodes.deployLogs(ident!)
      if (output === undefined) {
        const shown = logs.map(({ url: _url, ...log }) => log)
        const rows = logs.map((log) => [log.uuid, log.operation, log.collected_at, log.bytes])
        const none = `No ramdisk of ${ident} has left logs here.`
        return print(shown, rows.length === 0 ? none : tabular(['uuid', 'operation', 'collected at', 'bytes'], rows))
      }
      const chosen = wanted === undefined ? logs[0] : logs.find(({ uuid }) => uuid === wanted)
      if (!chosen) throw new UsageError(wanted ? `${ident} has no log ${wanted}` : `no ramdisk of ${ident} left logs`)
      await save(output, await download(chosen))
      const { url: _url, ...shown } = chosen
      return print(
        { ...shown, file: output },
        `${chosen.bytes} bytes of ${chosen.operation}, ${chosen.collected_at}, in ${output}`,
      )
    },
  )
}

async function save(file: string, content: Buffer): Promise<void> {
  await writeFile(file, content, { mode: 0o600, flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${file} ${cause.code === 'EEXIST' ? 'exists: nothing is written over' : 'can’t be written'}`,
      {
        cause,
      },
    )
  })
}

async function download({ url, bytes, sha256 }: DeployLogView): Promise<Buffer> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) })
  if (!reply.ok || reply.body === null) throw new OutcomeError(`the logs can't be fetched: HTTP ${reply.status}`)
  const chunks: Uint8Array[] = []
  let have = 0
  for await (const chunk of reply.body) {
    have += chunk.length
    if (have > Math.min(bytes, DEPLOY_LOG_BYTES)) break
    chunks.push(chunk)
  }
  const content = Buffer.concat(chunks)
  if (content.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256)
    throw new OutcomeError(`the logs that were fetched are not those that were kept (${have} of ${bytes} bytes)`)
  return content
}
