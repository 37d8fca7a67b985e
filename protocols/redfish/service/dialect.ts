import type { JsonObject } from '../json.ts'

export interface SlotDialect {
  id: string
  types: readonly string[]
  /** How an image gets in: by the standard's action, by PATCH, not by URL at all, or not although the action is offered. */
  insert: 'action' | 'patch' | 'viewer' | 'refused'
}

/** How a vendor's BMC differs in what it says and what it takes: the other side of quirks/. */
export interface Dialect {
  name: string
  manufacturer: string
  /** More properties of the service root. */
  root: JsonObject
  systemId: string
  managerId: string
  /** Without BootSourceOverrideEnabled, or without all three, an override is lost. */
  boot?: { loses?: 'withoutEnabled' | 'withoutAll'; onceOnly?: true; refusesMode?: true; pending?: true }
  /** BIOS attribute that is the boot mode. */
  bootMode?: { attribute: string; UEFI: string; Legacy: string }
  ifMatch?: 'required' | 'strong'
  /** Answers 404 to the session service, as if there was none. */
  noSessions?: true
  /** `On` is refused with 409 so many times after a power-off. */
  conflicts?: number
  expand?: true
  /** Collections come in pages of so many. */
  pageSize?: number
  streamsEvents?: true
  /** Subscriptions without EventTypes are refused. */
  demandsEventTypes?: true
  /** Readings are in the Sensors collection, not in Thermal and Power. */
  sensors?: true
  /** How firmware gets in. Default: all ways. */
  updates?: readonly ('fetch' | 'multipart' | 'push')[]
  media: {
    where: 'systems' | 'managers'
    slots: readonly SlotDialect[]
    refuses?: readonly string[]
    demands?: readonly string[]
  }
}

const cd: SlotDialect = { id: 'Cd', types: ['CD', 'DVD'], insert: 'action' }

export const standardDialect: Dialect = {
  name: 'standard',
  manufacturer: 'Contoso',
  root: {},
  systemId: '1',
  managerId: 'BMC',
  expand: true,
  streamsEvents: true,
  media: { where: 'managers', slots: [cd, { id: 'Floppy', types: ['Floppy', 'USBStick'], insert: 'action' }] },
}

const like = (name: string, manufacturer: string, more: Partial<Dialect>): Dialect => ({
  ...standardDialect,
  expand: undefined,
  streamsEvents: undefined,
  name,
  manufacturer,
  ...more,
})

export const dialects: readonly Dialect[] = [
  standardDialect,
  like('dell', 'Dell Inc.', {
    root: { Vendor: 'Dell', Oem: { Dell: {} } },
    systemId: 'System.Embedded.1',
    managerId: 'iDRAC.Embedded.1',
    boot: { refusesMode: true },
    bootMode: { attribute: 'BootMode', UEFI: 'Uefi', Legacy: 'Bios' },
    conflicts: 2,
    expand: true,
    streamsEvents: true,
    demandsEventTypes: true,
    updates: ['multipart', 'push'],
  }),
  like('hpe', 'HPE', {
    root: { Vendor: 'HPE', Oem: { Hpe: {} } },
    boot: { refusesMode: true },
    bootMode: { attribute: 'BootMode', UEFI: 'Uefi', Legacy: 'LegacyBios' },
  }),
  like('supermicro', 'Supermicro', { boot: { loses: 'withoutEnabled' }, pageSize: 1 }),
  like('lenovo', 'Lenovo', {
    root: { Oem: { Lenovo: {} } },
    media: {
      where: 'managers',
      slots: [
        { id: 'RDOC1', types: ['CD', 'DVD'], insert: 'viewer' },
        { id: 'EXT1', types: ['CD', 'DVD'], insert: 'patch' },
      ],
    },
  }),
  like('ami', 'American Megatrends International', {
    root: { Vendor: 'AMI' },
    systemId: 'Self',
    boot: { loses: 'withoutAll' },
  }),
  like('asrockrack', 'ASRockRack', { systemId: 'Self', boot: { loses: 'withoutAll' }, ifMatch: 'strong' }),
  like('openbmc', 'OpenBMC', {
    root: { Vendor: 'OpenBMC' },
    sensors: true,
    updates: ['multipart'],
    systemId: 'system',
    managerId: 'bmc',
    media: {
      where: 'managers',
      slots: [
        { id: 'Slot_0', types: ['CD', 'USBStick'], insert: 'viewer' },
        { id: 'Slot_2', types: ['CD', 'USBStick'], insert: 'action' },
      ],
      demands: ['TransferMethod'],
    },
  }),
  like('sushy-tools', 'Sushy Emulator', { noSessions: true, boot: { refusesMode: true } }),
  like('cisco', 'Cisco Systems Inc', {
    root: { Vendor: 'Cisco Systems Inc' },
    updates: ['push'],
    media: {
      where: 'managers',
      slots: [
        { id: '0', types: ['DVD'], insert: 'refused' },
        { id: '1', types: ['DVD'], insert: 'action' },
      ],
    },
  }),
  like('fujitsu', 'FUJITSU', { root: { Oem: { ts_fujitsu: {} } }, systemId: '0', ifMatch: 'required' }),
  like('nvidia', 'https://www.mellanox.com', {
    root: { Vendor: 'NVIDIA' },
    systemId: 'Bluefield',
    boot: { pending: true },
  }),
  like('inspur', 'Inspur', {
    boot: { loses: 'withoutAll' },
    media: {
      where: 'systems',
      slots: [cd],
      refuses: ['Inserted', 'WriteProtected'],
      demands: ['TransferProtocolType'],
    },
  }),
  like('gigabyte', 'GIGABYTE', { boot: { loses: 'withoutAll', onceOnly: true } }),
]
