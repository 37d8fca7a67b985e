import { failed, ok, warning, type Finding } from './finding.ts'

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

/** IEEE 802.1D: a port that comes up listens and learns for 30 s before it forwards, unless it is an edge port. */
export function checkSpanningTree(name: string, heard: boolean | undefined): Finding {
  const check = 'spanning tree'
  if (heard === undefined)
    return warning(check, `could not be listened for on ${name}`, "run as root, with Debian's package tcpdump")
  if (!heard) return ok(check, `none is spoken on ${name}`)
  return warning(
    check,
    `the switch speaks it on ${name}: each link that comes up may be deaf for 30 s, in which firmware gives up`,
    'make the ports of machines edge ports (portfast); if the first DHCP discover comes half a minute after power on, this is it',
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
