import type { BootOverride, Machine } from '../service/machine.ts'

/** A machine that obeys at once. */
export interface PaperMachine extends Machine {
  state: 'On' | 'Off'
  override: BootOverride
  resets: string[]
  images: Map<string, string | undefined>
}

export function paperMachine(): PaperMachine {
  const machine: PaperMachine = {
    facts: {
      uuid: '0b0a4f5e-5f0c-4f0b-8a6e-0123456789ab',
      name: 'paper',
      processors: 2,
      memoryGiB: 64,
      nics: [{ mac: '52:54:00:00:00:01' }, { mac: '52:54:00:00:00:02' }],
      drives: ['Bay1', 'Bay2'].map((id) => ({ id, capacityBytes: 480e9, media: 'SSD' as const })),
    },
    state: 'Off',
    override: { target: 'None', enabled: 'Disabled', mode: 'UEFI' },
    resets: [],
    images: new Map(),
    power: () => Promise.resolve(machine.state),
    reset(type) {
      machine.resets.push(type)
      if (type === 'ForceOff' || type === 'GracefulShutdown') machine.state = 'Off'
      else if (type !== 'Nmi') machine.state = 'On'
      return Promise.resolve()
    },
    boot: {
      get: () => Promise.resolve(machine.override),
      set: (override) => {
        machine.override = override
        return Promise.resolve()
      },
    },
    media: (slot, image) => {
      machine.images.set(slot, image)
      return Promise.resolve()
    },
  }
  return machine
}
