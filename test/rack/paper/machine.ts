import { randomUUID } from 'node:crypto'
import { bootDevices, noBootFlags, type BootFlags } from '@bloomery/ipmi/boot-parameters.ts'
import type { Chassis } from '@bloomery/ipmi/bmc-options.ts'
import { startBmc, type RunningBmc } from '@bloomery/ipmi/server.ts'
import { paperSerial } from '@bloomery/ipmi/testing/paper-serial.ts'
import { type RunningRedfish, startRedfish } from '@bloomery/redfish/server.ts'
import type { Dialect } from '@bloomery/redfish/service/dialect.ts'
import type { Vitals } from '@bloomery/redfish/service/machine.ts'
import type { State } from '@bloomery/redfish/service/state.ts'
import type { Clock } from '../../../appliance/clock.ts'
import { machineOver } from '../redfish/chassis.ts'
import { inventoryOf } from './inventory.ts'
import { type Medium, readMedium } from './medium.ts'

/** What a paper machine finds at its network boot, and what it does then; the site it is plugged into supplies it. */
export interface Provisioning {
  /** The ramdisk runs from when this is called until `powerLost` is aborted. */
  networkBoot(machine: PaperMachine, powerLost: AbortSignal): Promise<void>
  mediaBoot?(machine: PaperMachine, medium: Medium, powerLost: AbortSignal): Promise<void>
}

export interface PaperDisk {
  /** SHA-256 of what was written, undefined when blank. */
  image: string | undefined
  configDrive: string | undefined
}

const paperDrives = ['Bay1', 'Bay2', 'Bay3'].map((id) => ({ id, capacityBytes: 480e9, media: 'SSD' as const }))

/** A server made of paper: a chassis with a real BMC on a real port, a firmware that takes its time, and a disk that remembers digests. */
export class PaperMachine {
  readonly name: string
  readonly mac: string
  password: string
  /** The driver for its BMC. */
  readonly driver: 'ipmi' | 'redfish'
  readonly disk: PaperDisk = { image: undefined, configDrive: undefined }
  /** Every time power came on, what it booted. */
  readonly boots: string[] = []
  /** What ramdisks of instances it ran: digests of kernel and ramdisk, or of the ISO, and the arguments. */
  readonly ramdisks: string[] = []
  /** Of installers that it ran. */
  readonly kickstarts: string[] = []
  /** Whatever must never happen to a real disk. */
  readonly accidents: string[] = []
  /** Its serial port, as its BMC finds it. */
  readonly serial = paperSerial()
  power: 'on' | 'off' = 'off'
  writing = false
  /** Static addresses that its ramdisk had from a medium. */
  network = ''
  /** How often power came on, whether or not it got as far as booting. */
  starts = 0
  /** Non-maskable interrupts that it got. */
  nmis = 0
  /** What its ramdisk's collectors post beside the inventory, as ironic-python-agent's do; undefined: it has none, and waits to be asked. */
  collected: Record<string, unknown> | undefined
  /** What hardware managers of others in its ramdisk do in a deploy, by step. */
  readonly ownSteps: Record<string, (args: Record<string, unknown>, node: Record<string, unknown>) => void> = {}
  /** As its ramdisk asks its BMC by the system interface; undefined: that tells nothing. */
  bmcAddress: string | undefined
  /** What its ramdisk answers when it shall load a kernel, where that can't be. */
  kexecFault: string | undefined
  /** What its disk answers to writes, once it is broken. */
  diskFault: string | undefined
  /** What its rescue system lets people in with. */
  rescuePassword: string | undefined
  /** What its BMC measures; a test changes it. */
  readonly vitals: Vitals = {}
  readonly #clock: Clock
  readonly #postMs: number
  #flags: BootFlags = noBootFlags
  #bmc: RunningBmc | RunningRedfish | undefined
  #lost = new AbortController()
  provisioning: Provisioning | undefined
  /** Of its Redfish; plain HTTP without. */
  tls: { key: string; cert: string } | undefined
  /** Whose BMC it is like, where it speaks Redfish. */
  dialect: Dialect | undefined

  constructor(options: {
    name: string
    mac: string
    password: string
    clock: Clock
    postMs: number
    driver?: 'ipmi' | 'redfish'
  }) {
    this.name = options.name
    this.mac = options.mac
    this.password = options.password
    this.driver = options.driver ?? 'ipmi'
    this.#clock = options.clock
    this.#postMs = options.postMs
  }

  async plugIn(host = '127.0.0.1', port = 0): Promise<void> {
    const common = { host, port, onError: (error: unknown) => void this.accidents.push(String(error)) }
    const user = { name: 'admin', password: this.password }
    if (this.driver === 'ipmi') {
      const users = [{ ...user, privilege: 'administrator' as const }]
      this.#bmc = await startBmc({
        ...common,
        users,
        chassis: this.#chassis(),
        serial: this.serial,
        inventory: inventoryOf(this.vitals),
      })
    } else {
      const facts = { uuid: randomUUID(), name: this.name, nics: [{ mac: this.mac }], drives: paperDrives }
      this.#bmc = await startRedfish({
        ...common,
        users: [user],
        ...(this.tls && { tls: this.tls }),
        ...(this.dialect && { dialect: this.dialect }),
        machine: machineOver(this.#chassis(), facts, this.vitals),
      })
    }
  }

  /** What its Redfish BMC remembers. */
  get redfish(): State {
    if (!this.#bmc || !('state' in this.#bmc)) throw new Error(`${this.name} has no Redfish BMC`)
    return this.#bmc.state
  }

  get port(): number {
    return this.#bmc!.port
  }

  /** How its BMC is reached; the password as the site gets it. */
  driverInfo(password: unknown): Record<string, unknown> {
    const scheme = this.tls ? 'https' : 'http'
    const redfish_address = `${scheme}://127.0.0.1:${this.port}`
    if (this.driver === 'redfish') return { redfish_address, redfish_username: 'admin', redfish_password: password }
    return { ipmi_address: '127.0.0.1', ipmi_port: this.port, ipmi_username: 'admin', ipmi_password: password }
  }

  async unplug(): Promise<void> {
    this.off()
    await this.#bmc?.close()
  }

  /** As by its button, with firmware that boots from the network first. */
  switchOn(): void {
    this.#flags = { ...noBootFlags, boot: { ...noBootFlags.boot, device: bootDevices.pxe } }
    this.#on()
  }

  /** By its own operating system: its firmware boots from the network first. */
  restart(): void {
    this.off()
    this.switchOn()
  }

  /** Its ramdisk's kernel starts what is on the disk: power stays, the ramdisk and its agent are gone. */
  kexec(): void {
    this.#lost.abort(new Error('another kernel runs'))
    this.#lost = new AbortController()
    this.boots.push(`kexec ${this.disk.image}`)
  }

  off(): void {
    if (this.power === 'on' && this.writing) this.accidents.push('power lost while the disk was written')
    this.power = 'off'
    this.#lost.abort(new Error('power lost'))
  }

  #on(): void {
    if (this.power === 'on') return
    this.power = 'on'
    this.starts += 1
    this.#lost = new AbortController()
    const { signal } = this.#lost
    void this.#boot(signal).catch((error: unknown) => {
      if (!signal.aborted) this.accidents.push(String(error))
    })
  }

  async #boot(powerLost: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#postMs, powerLost)
    const { flags, boot } = this.#flags
    const { device } = boot
    // A choice for once is used up; whether it boots by UEFI is no choice for once, whenever it is made.
    if (!flags.persistent) this.#flags = { ...noBootFlags, flags: { ...noBootFlags.flags, uefi: flags.uefi } }
    if (device === bootDevices.pxe) {
      this.boots.push('network')
      this.serial.print(`${this.name}: booting from the network\r\n`)
      await this.provisioning?.networkBoot(this, powerLost)
    } else if (device === bootDevices.cdrom) {
      const medium = await readMedium(this.redfish.slots.find(({ image }) => image !== undefined)?.image, powerLost)
      this.boots.push('medium')
      await this.provisioning?.mediaBoot?.(this, medium, powerLost)
    } else this.boots.push(this.disk.image ? `disk ${this.disk.image}` : 'nothing')
  }

  #chassis(): Chassis {
    return {
      power: () => Promise.resolve(this.power),
      control: (action) => {
        if (action === 'off' || action === 'soft') this.off()
        if (action === 'on') this.#on()
        if (action === 'diag') this.nmis += 1
        if (action === 'cycle' || action === 'reset') {
          this.off()
          this.#on()
        }
        return Promise.resolve()
      },
      bootOptions: {
        get: () => Promise.resolve(this.#flags),
        set: (flags) => {
          this.#flags = flags
          return Promise.resolve()
        },
      },
    }
  }
}
