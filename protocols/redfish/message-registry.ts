import type { Redfish } from './client.ts'
import { members, required } from './collection.ts'
import { type JsonObject, listAt, objectAt, textAt } from './json.ts'
import { filled, plain } from './messages.ts'

/** What a message id stands for, in the words of the BMC's own registry (DSP0266 §9.5.11). */
export interface Meaning {
  text: string
  severity: string | undefined
  resolution: string | undefined
}

/** `Registry.Major.Minor[.Patch].Key`; iDRACs and others put more before the key. */
const ID = /^([A-Za-z0-9]+)\.(\d+)\.(\d+)(?:\.\d+)?\.([\w.]+)$/
const OPERATION = 'read message registry'

/** Registries are read once, when a message of theirs is met. A BMC has hundreds of kilobytes of them. */
export class MessageRegistries {
  readonly #bmc: Redfish
  #files: Promise<readonly JsonObject[]> | undefined
  readonly #messages = new Map<string, Promise<JsonObject | undefined>>()

  constructor(bmc: Redfish) {
    this.#bmc = bmc
  }

  /** Undefined where the BMC has no registry that knows it. */
  async meaning(messageId: string, args: readonly string[] = []): Promise<Meaning | undefined> {
    const [, prefix, major, , key] = ID.exec(messageId) ?? []
    if (prefix === undefined || key === undefined) return undefined
    const name = `${prefix}.${major}`
    const messages = this.#messages.get(name) ?? this.#read(prefix, Number(major))
    this.#messages.set(name, messages)
    messages.catch(() => this.#messages.delete(name))
    const message = objectAt(await messages, key.slice(key.lastIndexOf('.') + 1))
    const template = textAt(message, 'Message')
    if (template === undefined) return undefined
    const resolution = textAt(message, 'Resolution')
    return {
      text: plain(filled(template, args)),
      severity: textAt(message, 'MessageSeverity') ?? textAt(message, 'Severity'),
      resolution: resolution === undefined || resolution === 'None' ? undefined : plain(resolution),
    }
  }

  /** Of the same major version any will do: the newest is a superset (DSP0266 §9.5.11.1). */
  async #read(prefix: string, major: number): Promise<JsonObject | undefined> {
    this.#files ??= this.#listFiles()
    this.#files.catch(() => (this.#files = undefined))
    const fitting = (await this.#files).filter((file) => {
      const [, of, version] = /^(\w+)\.(\d+)/.exec(textAt(file, 'Registry') ?? textAt(file, 'Id') ?? '') ?? []
      return of === prefix && Number(version) === major
    })
    const locations = listAt(fitting.at(-1), 'Location')
    const uri = textAt(locations.find((each) => textAt(each, 'Language')?.startsWith('en')) ?? locations[0], 'Uri')
    return uri === undefined ? undefined : objectAt((await this.#bmc.get(uri, OPERATION)).body, 'Messages')
  }

  async #listFiles(): Promise<readonly JsonObject[]> {
    const path = required(this.#bmc, this.#bmc.root, ['Registries'], OPERATION)
    return (await members(this.#bmc, path, OPERATION)).map(({ body }) => body)
  }
}
