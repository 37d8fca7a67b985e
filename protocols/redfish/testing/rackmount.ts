import type { JsonObject } from '../json.ts'

/** A service of the shape of DMTF's published mock-up of a rack server (DSP2043, public-rackmount1), with values of our own: which resources there
 * are, what links to what, and which older and newer forms stand side by side. Static, so `$expand` is offered and ignored. */

const V1 = '/redfish/v1'
export const SYSTEM = `${V1}/Systems/S1`
const CHASSIS = `${V1}/Chassis/1U`
export const MANAGER = `${V1}/Managers/BMC`
const ok = { State: 'Enabled', Health: 'OK', HealthRollup: 'OK' }
const ref = (path: string): JsonObject => ({ '@odata.id': path })
const collection = (...paths: string[]): JsonObject => ({
  'Members@odata.count': paths.length,
  Members: paths.map(ref),
})

const sensor = (Reading: number, ReadingType: string, ReadingUnits: string): JsonObject => ({
  Name: `${ReadingType} sensor`,
  Reading,
  ReadingType,
  ReadingUnits,
  ReadingRangeMax: 1000,
  Thresholds: { UpperCritical: { Reading: 900 } },
  Status: { State: 'Enabled', Health: 'OK' },
})

export const rackmount: Record<string, JsonObject> = {
  [`${V1}/`]: {
    '@odata.type': '#ServiceRoot.v1_15_0.ServiceRoot',
    RedfishVersion: '1.15.0',
    ProtocolFeaturesSupported: {
      ExpandQuery: { ExpandAll: true, Levels: true, MaxLevels: 6, Links: true, NoLinks: true },
      SelectQuery: false,
      FilterQuery: false,
    },
    Systems: ref(`${V1}/Systems`),
    Chassis: ref(`${V1}/Chassis`),
    Managers: ref(`${V1}/Managers`),
    UpdateService: ref(`${V1}/UpdateService`),
    EventService: ref(`${V1}/EventService`),
    AccountService: ref(`${V1}/AccountService`),
    Oem: {},
  },
  [`${V1}/Systems`]: collection(SYSTEM),
  [SYSTEM]: {
    Id: 'S1',
    SystemType: 'Physical',
    Manufacturer: 'Contoso',
    Model: '3500',
    SubModel: 'RX',
    SerialNumber: 'S1',
    UUID: '38947555-0000-4000-8000-823347823834',
    Status: ok,
    IndicatorLED: 'Off',
    PowerState: 'On',
    Boot: {
      BootSourceOverrideEnabled: 'Once',
      BootSourceOverrideTarget: 'Hdd',
      'BootSourceOverrideTarget@Redfish.AllowableValues': [
        'None',
        'Pxe',
        'Cd',
        'Usb',
        'Hdd',
        'BiosSetup',
        'UefiTarget',
      ],
      BootSourceOverrideMode: 'UEFI',
      UefiTargetBootSourceOverride: '/0x31/0x33/0x01/0x01',
    },
    TrustedModules: [{ FirmwareVersion: '1.13b', InterfaceType: 'TPM2_0', Status: ok }],
    Oem: { Contoso: { ProductionLocation: { Country: 'USA' } }, Chipwise: { Style: 'Executive' } },
    BootProgress: { LastState: 'OSRunning' },
    BiosVersion: 'P79 v1.45 (12/06/2017)',
    ProcessorSummary: { Count: 1, LogicalProcessorCount: 16, CoreCount: 8, Status: ok },
    MemorySummary: { TotalSystemMemoryGiB: 64, Status: ok },
    Bios: ref(`${SYSTEM}/Bios`),
    Processors: ref(`${SYSTEM}/Processors`),
    EthernetInterfaces: ref(`${SYSTEM}/EthernetInterfaces`),
    SimpleStorage: ref(`${SYSTEM}/SimpleStorage`),
    LogServices: ref(`${SYSTEM}/LogServices`),
    VirtualMedia: ref(`${SYSTEM}/VirtualMedia`),
    Links: { Chassis: [ref(CHASSIS)], ManagedBy: [ref(MANAGER)] },
    Actions: {
      '#ComputerSystem.Reset': {
        target: `${SYSTEM}/Actions/ComputerSystem.Reset`,
        '@Redfish.ActionInfo': `${SYSTEM}/ResetActionInfo`,
      },
      Oem: { '#Contoso.Reset': { target: `${SYSTEM}/Oem/Contoso/Actions/Contoso.Reset` } },
    },
  },
  [`${SYSTEM}/ResetActionInfo`]: {
    Parameters: [
      {
        Name: 'ResetType',
        Required: true,
        DataType: 'String',
        AllowableValues: ['On', 'ForceOff', 'PushPowerButton', 'PowerCycle'],
      },
    ],
  },
  [`${SYSTEM}/Processors`]: collection(
    `${SYSTEM}/Processors/CPU1`,
    `${SYSTEM}/Processors/CPU2`,
    `${SYSTEM}/Processors/FPGA1`,
  ),
  [`${SYSTEM}/Processors/CPU1`]: {
    ProcessorType: 'CPU',
    ProcessorArchitecture: 'x86',
    InstructionSet: 'x86-64',
    MaxSpeedMHz: 3700,
    TotalCores: 8,
    TotalThreads: 16,
    Status: ok,
  },
  [`${SYSTEM}/Processors/CPU2`]: { ProcessorType: 'CPU', Status: { State: 'Absent', Health: null } },
  [`${SYSTEM}/Processors/FPGA1`]: { ProcessorType: 'FPGA', InstructionSet: null, TotalCores: null, Status: ok },
  [`${SYSTEM}/EthernetInterfaces`]: collection(`${SYSTEM}/EthernetInterfaces/A`, `${SYSTEM}/EthernetInterfaces/B`),
  [`${SYSTEM}/EthernetInterfaces/A`]: {
    Id: 'A',
    PermanentMACAddress: '12:44:6A:3B:04:11',
    SpeedMbps: 1000,
    LinkStatus: 'LinkUp',
  },
  [`${SYSTEM}/EthernetInterfaces/B`]: {
    Id: 'B',
    PermanentMACAddress: null,
    MACAddress: 'AA:BB:CC:DD:EE:FF',
    SpeedMbps: null,
  },
  [`${SYSTEM}/Bios`]: {
    AttributeRegistry: 'BiosAttributeRegistryP89.v1_0_0',
    Attributes: { BootMode: 'Uefi', BootTimeout: 5 },
  },
  [`${SYSTEM}/LogServices`]: collection(`${SYSTEM}/LogServices/SEL`),
  [`${SYSTEM}/LogServices/SEL`]: { Id: 'SEL', LogEntryType: 'SEL', Entries: ref(`${SYSTEM}/LogServices/SEL/Entries`) },
  [`${SYSTEM}/LogServices/SEL/Entries`]: {
    Members: [
      {
        '@odata.id': `${SYSTEM}/LogServices/SEL/Entries/1`,
        Id: '1',
        Severity: 'Warning',
        Message: 'Fan 2 slow',
        Created: '2012-03-07T14:44:00Z',
      },
    ],
  },
  [`${SYSTEM}/VirtualMedia`]: collection(`${SYSTEM}/VirtualMedia/CD1`),
  [`${SYSTEM}/VirtualMedia/CD1`]: {
    Id: 'CD1',
    MediaTypes: ['CD', 'DVD'],
    Image: null,
    ImageName: '',
    ConnectedVia: 'NotConnected',
    Inserted: false,
    WriteProtected: false,
    Actions: {
      '#VirtualMedia.EjectMedia': { target: `${SYSTEM}/VirtualMedia/CD1/Actions/VirtualMedia.EjectMedia` },
      '#VirtualMedia.InsertMedia': { target: `${SYSTEM}/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia` },
    },
  },
  [CHASSIS]: {
    ChassisType: 'RackMount',
    LocationIndicatorActive: true,
    Sensors: ref(`${CHASSIS}/Sensors`),
    Thermal: ref(`${CHASSIS}/Thermal`),
    Power: ref(`${CHASSIS}/Power`),
  },
  [`${CHASSIS}/Sensors`]: collection(
    ...['AmbientTemp', 'CPUFan1', 'TotalPower', 'PS1InputVoltage', 'PS1Energy'].map((id) => `${CHASSIS}/Sensors/${id}`),
  ),
  [`${CHASSIS}/Sensors/AmbientTemp`]: sensor(22.5, 'Temperature', 'Cel'),
  [`${CHASSIS}/Sensors/CPUFan1`]: sensor(80, 'Percent', '%'),
  [`${CHASSIS}/Sensors/TotalPower`]: sensor(374, 'Power', 'W'),
  [`${CHASSIS}/Sensors/PS1InputVoltage`]: sensor(119.27, 'Voltage', 'V'),
  [`${CHASSIS}/Sensors/PS1Energy`]: { ...sensor(0, 'EnergykWh', 'kW.h'), Reading: null },
  [MANAGER]: {
    Id: 'BMC',
    ManagerType: 'BMC',
    FirmwareVersion: '1.45.455b66-rev4',
    DateTime: '2015-03-13T04:14:33+06:00',
    NetworkProtocol: ref(`${MANAGER}/NetworkProtocol`),
    Links: { ManagerForServers: [ref(SYSTEM)] },
    Actions: {
      '#Manager.Reset': {
        target: `${MANAGER}/Actions/Manager.Reset`,
        'ResetType@Redfish.AllowableValues': ['ForceRestart', 'GracefulRestart'],
      },
    },
  },
  [`${MANAGER}/NetworkProtocol`]: {
    HTTPS: { ProtocolEnabled: true, Port: 443 },
    NTP: { ProtocolEnabled: true, NTPServers: ['', 'ntp.example'] },
  },
  [`${V1}/UpdateService`]: {
    ServiceEnabled: true,
    HttpPushUri: '/FWUpdate',
    HttpPushUriOptions: { HttpPushUriApplyTime: { ApplyTime: 'Immediate' } },
    FirmwareInventory: ref(`${V1}/UpdateService/FirmwareInventory`),
    Actions: {
      '#UpdateService.SimpleUpdate': {
        target: `${V1}/UpdateService/Actions/SimpleUpdate`,
        '@Redfish.ActionInfo': `${V1}/UpdateService/SimpleUpdateActionInfo`,
      },
      Oem: {},
    },
  },
  [`${V1}/UpdateService/FirmwareInventory`]: collection(`${V1}/UpdateService/FirmwareInventory/BMC`),
  [`${V1}/UpdateService/FirmwareInventory/BMC`]: {
    Id: 'BMC',
    Name: 'Contoso BMC Firmware',
    Version: '1.45.455b66-rev4',
    Updateable: true,
  },
  [`${V1}/EventService`]: {
    ServiceEnabled: true,
    EventTypesForSubscription: ['StatusChange', 'Alert'],
    Subscriptions: ref(`${V1}/EventService/Subscriptions`),
  },
  [`${V1}/AccountService`]: { Accounts: ref(`${V1}/AccountService/Accounts`) },
  [`${V1}/AccountService/Accounts`]: collection(`${V1}/AccountService/Accounts/1`),
  [`${V1}/AccountService/Accounts/1`]: { UserName: 'admin', Password: null, Enabled: true, RoleId: 'Administrator' },
}
