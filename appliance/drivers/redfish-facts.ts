import { readAttributeRegistry, readBios } from '@bloomery/redfish/bios.ts'
import { readBootMode } from '@bloomery/redfish/boot-mode.ts'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { readComponents } from '@bloomery/redfish/components.ts'
import { readIndicators } from '@bloomery/redfish/indicator.ts'
import { type JsonObject, booleanAt, listAt, numberAt, textAt } from '@bloomery/redfish/json.ts'
import { offered } from '@bloomery/redfish/offered.ts'
import { readSecureBoot } from '@bloomery/redfish/secure-boot.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { listMedia } from '@bloomery/redfish/virtual-media.ts'
import { type BiosSetting, type HardwareFacts, MOST_SETTINGS } from '../../contract/hardware-facts.ts'

type Facts = Omit<HardwareFacts, 'read_at'>

/** All that a BMC says of its machine's settings and versions. Sections that this BMC doesn't have are left out; one that can't be
 * reached is an error. */
export async function readFacts(bmc: Redfish, system: System): Promise<Facts> {
  const mode = await offered(() => readBootMode(bmc, system))
  const secure = await offered(() => readSecureBoot(bmc, system))
  const indicators = await offered(() => readIndicators(bmc, system))
  const media = await offered(() => listMedia(bmc, system))
  const bios = await offered(() => biosOf(bmc, system))
  const firmware = await offered(() => readComponents(bmc, system))
  return {
    ...(mode === undefined ? {} : { boot_mode: mode === 'UEFI' ? ('uefi' as const) : ('bios' as const) }),
    ...(secure?.enabled === undefined ? {} : { secure_boot: secure.enabled }),
    ...(indicators && {
      indicators: indicators.slice(0, 64).map((each) => ({
        ...each,
        name: clip(each.name),
        states: [...each.states],
        readonly: false,
      })),
    }),
    ...(media && {
      virtual_media: media.slice(0, 32).map(({ types, inserted, image }) => ({
        media_types: types.slice(0, 16).map(clip),
        inserted,
        image: bareUrl(image),
      })),
    }),
    ...(bios && { bios }),
    ...(firmware && {
      firmware: firmware.slice(0, 256).map(({ name, version, vendor, model, serial }) => ({
        component: clip(name),
        version: clipped(version),
        vendor: clipped(vendor),
        model: clipped(model),
        serial_number: clipped(serial),
      })),
    }),
  }
}

async function biosOf(bmc: Redfish, system: System): Promise<BiosSetting[]> {
  const { attributes, registry } = await readBios(bmc, system)
  const known = registry === undefined ? undefined : await offered(() => readAttributeRegistry(bmc, registry))
  return Object.entries(attributes)
    .filter(([name]) => name.length <= 255)
    .slice(0, MOST_SETTINGS)
    .map(([name, value]) => settingOf(name, value, known?.get(name)))
}

function settingOf(name: string, value: unknown, entry: JsonObject | undefined): BiosSetting {
  const values = listAt(entry, 'Value').flatMap((each) => textAt(each, 'ValueName') ?? [])
  return {
    name,
    value: value === null || value === undefined ? null : plain(value),
    allowable_values: values.length === 0 ? null : values.slice(0, 32).map((each) => each.slice(0, 128)),
    attribute_type: clipped(textAt(entry, 'Type')),
    lower_bound: numberAt(entry, 'LowerBound') ?? null,
    upper_bound: numberAt(entry, 'UpperBound') ?? null,
    min_length: numberAt(entry, 'MinLength') ?? null,
    max_length: numberAt(entry, 'MaxLength') ?? null,
    read_only: booleanAt(entry, 'ReadOnly') ?? null,
    reset_required: booleanAt(entry, 'ResetRequired') ?? null,
    unique: booleanAt(entry, 'IsSystemUniqueProperty') ?? null,
  }
}

function plain(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 1024)
}

/** Without what may let somebody in. */
function bareUrl(image: string | undefined): string {
  if (image === undefined) return ''
  const url = URL.parse(image)
  if (!url) return image.slice(0, 2048)
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href.slice(0, 2048)
}

function clip(text: string): string {
  return text.slice(0, 255)
}

function clipped(text: string | undefined): string | null {
  return text === undefined ? null : clip(text)
}
