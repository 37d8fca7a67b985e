import { failed, ok, warning, type Finding } from './finding.ts'
import type { Bridge } from './measure.ts'

/** What breaks boots between this host and the machines: pure judgements of what `measure.ts` found. */

/** Machines behind a relay are answered by way of it: it must be reached, and it is their gateway as a rule. */
export function checkRelay(subnet: string, gateway: string | undefined, answers: boolean | undefined): Finding {
  const check = 'relay'
  if (gateway === undefined)
    return warning(check, `subnet ${subnet} is behind a relay and has no gateway to look for`, 'set its gateway')
  if (answers === undefined)
    return warning(check, `whether ${gateway} answers could not be looked at`, "install Debian's iputils-ping")
  if (answers) return ok(check, `${gateway}, of subnet ${subnet}, answers`)
  return failed(
    check,
    `${gateway}, of subnet ${subnet}, does not answer: what machines ask there can't be answered`,
    `see the route to it (ip route get ${gateway}), and that its DHCP relay points here and a firewall lets UDP 67 through`,
  )
}

/** TFTP sends blocks of up to 1,468 bytes, and firmware can't put fragments together. */
export function checkPath(subnet: string, gateway: string, wholeFrames: boolean): Finding {
  const check = 'MTU'
  if (wholeFrames) return ok(check, `1500 bytes come through to ${gateway}, of subnet ${subnet}`)
  return failed(
    check,
    `${gateway}, of subnet ${subnet}, answers short packets but none of 1500 bytes`,
    `raise the MTU on the way to it: \`tracepath ${gateway}\` shows where it is lower`,
  )
}

/** Features as `ethtool -k` prints them. */
export function checkOffload(name: string, features: string | undefined, isVirtual: boolean): Finding {
  const check = 'NIC offload'
  if (features === undefined)
    return warning(check, `that of ${name} could not be read`, "install Debian's package ethtool")
  const isOn = (feature: string): boolean => new RegExp(`^\\s*${feature}: on\\b`, 'm').test(features)
  if (isOn('large-receive-offload'))
    return warning(
      check,
      `${name} glues received packets together, which must not be where they are bridged or routed on`,
      `ethtool -K ${name} lro off`,
    )
  // A receiver on the same host sees the checksum unfilled, and firmware and raw sockets throw that away.
  if (isVirtual && isOn('tx-checksumming'))
    return warning(
      check,
      `${name} is virtual and leaves checksums to a card that may not be there: virtual machines may drop DHCP answers`,
      `ethtool -K ${name} tx off, if machines on this very host get no answer`,
    )
  return ok(check, `nothing in the way on ${name}`)
}

/**
 * IEEE 802.1D: a port that comes up listens and then learns, each for the forward delay, before it forwards, unless it is an edge port.
 * `late`: machines that were heard that late.
 */
export function checkSpanningTree(name: string, heard: Bridge | 'none' | undefined, late: number | undefined): Finding {
  const check = 'spanning tree'
  const remedy = 'make the ports of machines edge ports (portfast)'
  if (late !== undefined && late > 0)
    return failed(
      check,
      `${late} times a machine was first heard long after it began to ask: ports of the switch are deaf when their link comes up`,
      `${remedy}; the appliance's log names the machines`,
    )
  if (heard === undefined)
    return warning(check, `could not be listened for on ${name}`, "run as root, with Debian's package tcpdump")
  if (heard === 'none') return ok(check, `none is spoken on ${name}`)
  const deaf = 2 * heard.forwardDelay
  if (late === 0) return ok(check, `spoken on ${name}, and every machine was heard as soon as it asked`)
  return warning(
    check,
    `the switch speaks it on ${name}: each link that comes up may be deaf for ${deaf} s, in which firmware gives up`,
    `${remedy}; with metrics_port set, the running appliance counts the machines that it hears late`,
  )
}

/** A resolver that machines are told of, and that doesn't answer, costs each of their look-ups its time-out. */
export function checkResolver(server: string, problem: string | undefined): Finding {
  if (problem === undefined) return ok('DNS', `${server}, which machines are told, answers`)
  return failed('DNS', `${server}, which machines are told, does not answer: ${problem}`, 'correct dns of the subnet')
}

export function checkDevice(name: string, exists: boolean): Finding {
  if (exists) return ok('interface', `${name} is there`)
  return failed(
    'interface',
    `${name}, which a subnet names, is not there`,
    `see \`ip link\`; a VLAN is made with: ip link add link ETH name ${name} type vlan id …`,
  )
}
