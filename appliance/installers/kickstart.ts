import { HardwareError } from '../hardware-error.ts'
import { defaultKickstart } from './default-kickstart.ts'
import { type Options, renderTemplate } from './template.ts'

/** The kickstart of one installation, whole but for its token: that is given when the machine fetches it. */

const TOKEN = '@@agent_token@@'
export const MOST_KICKSTART = 256 * 1024
/** Each end of an installation, as Ironic's templates tell it. Without these a deploy would only end by its deadline. */
const statuses = ['start', 'end', 'error'] as const

export interface KickstartOptions {
  heartbeat_url: string
  liveimg_url?: string | undefined
  repo_url?: string | undefined
}

export function makeKickstart(
  { name, text }: { name: string; text: string },
  options: KickstartOptions,
  configDrive?: string,
): string {
  const all: Options = { ...options, agent_token: TOKEN, insecure_heartbeat: true }
  const made = withConfigDrive(rendered(name, text, all), configDrive)
  if (!made.includes(options.heartbeat_url) || !made.includes(TOKEN))
    throw new HardwareError(
      `kickstart ${name} tells nobody how it goes: it lacks heartbeats to {{ ks_options.heartbeat_url }} with {{ ks_options.agent_token }}`,
    )
  const silent = statuses.filter((status) => !new RegExp(`agent_status"\\s*:\\s*"${status}"`).test(made))
  if (silent.length > 0)
    throw new HardwareError(
      `kickstart ${name} never sends agent_status ${silent.map((each) => `"${each}"`).join(', ')}`,
    )
  if (made.length > MOST_KICKSTART)
    throw new HardwareError(
      `kickstart ${name} has ${made.length} characters with its config drive; at most ${MOST_KICKSTART} are served`,
    )
  return made
}

export const ownKickstart = { name: 'of Bloomery', text: defaultKickstart }

export function withToken(kickstart: string, token: string): string {
  return kickstart.replaceAll(TOKEN, token)
}

function rendered(name: string, text: string, options: Options): string {
  try {
    return renderTemplate(text, options)
  } catch (error) {
    if (error instanceof RangeError) throw new HardwareError(`kickstart ${name}, ${error.message}`)
    throw error
  }
}

/** Where cloud-init looks for it in an installed system, without a medium: before the section that says that all is done. */
function withConfigDrive(kickstart: string, drive: string | undefined): string {
  if (drive === undefined) return kickstart
  const lines = drive.replaceAll(/\s/g, '').match(/.{1,76}/g) ?? []
  const section = `%post --nochroot --erroronfail
root=/mnt/sysroot; [ -d "$root" ] || root=/mnt/sysimage
mkdir -p /tmp/config-2 "$root/var/lib/cloud/seed/config_drive"
base64 -d <<'END_OF_DRIVE' | gzip -dc > /tmp/config-2.iso
${lines.join('\n')}
END_OF_DRIVE
mount -o loop,ro /tmp/config-2.iso /tmp/config-2
cp -r /tmp/config-2/. "$root/var/lib/cloud/seed/config_drive/"
umount /tmp/config-2
%end

`
  const at = /^%post/m.exec(kickstart)?.index ?? kickstart.length
  return kickstart.slice(0, at) + section + kickstart.slice(at)
}
