import { randomUUID } from 'node:crypto'
import type { Command } from '../../contract/messages.ts'
import { alive, commandsTo, type ControlPlane, withSite } from './control-plane.ts'

type VolumeCommand = Extract<Command, { kind: 'volume' }>

/** An appliance with volumes, on paper: it answers what it was told last of each, when a test wants it to. */
export class VolumeSite {
  readonly #cloud: ControlPlane
  readonly uuid: string
  readonly key: { publicKey: string; privateKey: string }
  readonly #answered = new Set<string>()
  #seq = 0

  private constructor(cloud: ControlPlane, uuid: string, key: { publicKey: string; privateKey: string }) {
    this.#cloud = cloud
    this.uuid = uuid
    this.key = key
  }

  static async open(cloud: ControlPlane, site: string, name: string, gib = 100): Promise<VolumeSite> {
    const { appliance, key } = await withSite(cloud, site, name)
    await alive(cloud, appliance, { volumes: { gib, free_gib: gib } })
    return new VolumeSite(cloud, appliance, key)
  }

  /** What it was told of this volume last. */
  told(volume: string): VolumeCommand | undefined {
    const all = commandsTo(this.#cloud, this.uuid).filter((each) => each.kind === 'volume')
    return all.filter(({ node }) => node === volume).at(-1)
  }

  /** Everything that it has not answered yet is done, or fails. */
  async answer(note: string | null = null): Promise<void> {
    const commands = commandsTo(this.#cloud, this.uuid).filter((each) => each.kind === 'volume')
    for (const command of commands) {
      const { id, node, generation, wanted } = command
      if (this.#answered.has(id)) continue
      this.#answered.add(id)
      this.#seq += 1
      const exports = (wanted?.exports ?? []).map(({ attachment }) => ({
        attachment,
        target_iqn: `iqn.2026-11.org.example:volume-${node}.${attachment}`,
        target_portal: '10.20.0.1:3260',
        target_lun: 1,
      }))
      const report = {
        id: randomUUID(),
        seq: this.#seq,
        at: this.#cloud.platform.clock.now().toISOString(),
        kind: 'volume' as const,
        node,
        generation,
        phase: note === null ? ('done' as const) : ('failed' as const),
        note,
        exports: note === null ? exports : [],
      }
      await this.#cloud.uplink(this.uuid, { v: 1, kind: 'reports', reports: [report] })
    }
  }

  /** Answers on and on, for requests that wait for it. */
  answering(): AsyncDisposable {
    const over = new AbortController()
    const work = (async () => {
      while (!over.signal.aborted) {
        await this.answer()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    return {
      async [Symbol.asyncDispose]() {
        over.abort()
        await work
      },
    }
  }
}
