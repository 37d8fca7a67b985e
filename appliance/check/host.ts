import { failed, ok, warning, type Finding } from './finding.ts'

const GIB = 2 ** 30
const LEAST_FREE = 2 * GIB
const MOST_SKEW_S = 30

/** The cloud's clock against ours, by the Date header of any of its answers (RFC 9110 §6.6.1), which has whole seconds. */
export function checkClock(date: string | null, before: Date, after: Date): Finding {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs))
    return warning('clock', 'the cloud does not tell its time', 'compare `date -u` with the time')
  const middle = (before.getTime() + after.getTime()) / 2
  const skew = Math.round((middle - theirs) / 1_000)
  if (Math.abs(skew) <= MOST_SKEW_S) return ok('clock', `within ${Math.max(1, Math.abs(skew))} s of the cloud's`)
  const how = skew > 0 ? 'ahead of' : 'behind'
  return failed(
    'clock',
    `${Math.abs(skew)} s ${how} the cloud's: certificates and signed URLs fail`,
    'run chrony or systemd-timesyncd',
  )
}

export function checkDisk(dir: string, freeBytes: number, cacheGib: number): Finding {
  const free = (freeBytes / GIB).toFixed(1)
  if (freeBytes < LEAST_FREE)
    return failed('disk', `${free} GiB are free at ${dir}: leases and reports need room`, 'make room, or move data_dir')
  if (freeBytes < cacheGib * GIB)
    return warning(
      'disk',
      `${free} GiB are free at ${dir}, the image cache may take ${cacheGib}`,
      'lower image_cache_gib',
    )
  return ok('disk', `${free} GiB are free at ${dir}`)
}

/** How the system refused a port, or nothing. */
export function checkPort(what: string, refusal: string | undefined): Finding {
  if (refusal === undefined) return ok('port', `${what} is free`)
  if (refusal === 'EADDRINUSE')
    return warning(
      'port',
      `${what} is in use`,
      'fine if that is the appliance itself; else find who with `ss -lnup` or `ss -lntp`',
    )
  if (refusal === 'EACCES')
    return failed('port', `${what} may not be bound`, 'run as root, or with CAP_NET_BIND_SERVICE')
  return failed('port', `${what} can't be bound: ${refusal}`, 'see whether its address is this host’s')
}

export function checkName(host: string, addresses: readonly string[], problem: string | undefined): Finding {
  if (problem === undefined) return ok('DNS', `${host} is ${addresses.join(', ')}`)
  return failed(
    'DNS',
    `${host} is not known: ${problem}`,
    'correct /etc/resolv.conf, or the name that this appliance enrolled with',
  )
}
