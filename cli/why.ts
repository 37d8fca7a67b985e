import { Command } from 'commander'
import { ApiError } from '../contract/api/client.ts'
import { define } from './context.ts'
import { printable, record } from './output.ts'
import { whyServer } from './server-why.ts'

export function whyCommand(): Command {
  const command = new Command('why')
    .argument('<node>', 'name or UUID; of a server, too')
    .description('why a node, or a server, is where it is')
  return define(
    command,
    ['bloomery why n1', 'bloomery why web', 'bloomery why n1 --json'],
    async ({ client, openstack, print }, [ident]) => {
      const told = await client.nodes.why(ident!).catch(async (error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 404) throw error
        const server = await whyServer(openstack, ident!)
        if (!server) throw error
        print(server.told, server.text)
      })
      if (!told) return
      const { reason, operation, command: sent, appliance, screen, deploy_log: log, ...node } = told
      const facts = {
        ...node,
        maintenance: node.maintenance || null,
        ...(operation && {
          doing: operation.kind,
          step: `${operation.number}/${operation.steps} ${operation.step ?? ''}`,
          phase: operation.phase,
          note: operation.note,
          last_report: operation.at,
        }),
        ...(sent && { command: sent.acknowledged ? 'taken by the appliance' : `sent ${sent.sent_at ?? 'not yet'}` }),
        ...(log !== null && { ramdisk_logs: `of ${log}: bloomery node logs ${ident} --output FILE` }),
        ...(appliance && {
          appliance: `${appliance.name}, ${appliance.alive ? 'alive' : 'not alive'}, last seen ${appliance.last_seen ?? 'never'}`,
        }),
      }
      const boot = (operation?.boot ?? []).map(
        ({ at, seen, times }) => `${at}  ${seen}${times > 1 ? `, ${times} times` : ''}`,
      )
      const seen =
        boot.length === 0 ? '' : `\n\nseen of its boot:\n${boot.map((line) => `  ${printable(line)}`).join('\n')}`
      const lines = (screen?.lines ?? []).map((line) => `  | ${printable(line)}`)
      const showed = screen ? `\n\nits console then, ${screen.at}:\n${lines.join('\n')}` : ''
      print(told, `${printable(reason)}\n\n${record(facts)}${seen}${showed}`)
    },
  )
}
