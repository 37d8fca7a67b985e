import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireLease, openClientChannel, type ClientChannel } from '@bloomery/dhcp/client.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import { fetchFile } from '@bloomery/tftp/client.ts'
import { ipv4FromText, ipv4ToText, macFromBytes } from '@bloomery/wire/address.ts'

/**
 * Machines on paper that power on within some seconds: firmware's DHCP, its loader by TFTP in lock-step, iPXE's DHCP, script, kernel, and
 * the first byte of the ramdisk. They stand behind a relay and have their leased addresses. usage: SERVER RELAY MACHINES SECONDS
 */
const [server = '', relay = '', machines = '', seconds = ''] = process.argv.slice(2)
const RETRY = [4_000, 8_000, 16_000] // RFC 2131 §4.1
const answers: number[] = []
let unanswered = 0
const owners = new Map<number, string>()
const twice: string[] = []

const plain = await openClientChannel({ host: relay, port: 67, server: { address: server } })
const asked = new Map<number, number>()
plain.listen(({ xid }) => {
  const at = asked.get(xid)
  if (at !== undefined) answers.push(performance.now() - at)
  asked.delete(xid)
})
const channel: ClientChannel = {
  ...plain,
  send(packet) {
    if (asked.has(packet.xid)) unanswered += 1 // it is sent again
    asked.set(packet.xid, performance.now())
    plain.send(packet)
  },
}
let xid = 0
const timing = { xid: () => (xid += 1), now: Date.now, retry: RETRY }

async function boot(index: number): Promise<void> {
  const mac = macFromBytes(Uint8Array.of(0x52, 0x54, 0, 0x77, index >> 8, index & 255))
  const identity = { mac, relay: ipv4FromText(relay) }
  const firmware = new Map<number, Uint8Array>([
    [Option.vendorClass, Buffer.from('PXEClient:Arch:00000:UNDI:002001')],
    [Option.clientArchitecture, Uint8Array.of(0, 0)],
  ])
  const first = await acquireLease(channel, { ...identity, options: firmware }, timing)
  const localAddress = ipv4ToText(first.address)
  hold(first.address, mac)
  await fetchFile({ host: server, port: 1_069, file: first.bootFile, blksize: 1_432, windowsize: 1, localAddress })
  const ipxe = new Map([...firmware, [Option.userClass, Buffer.from('iPXE')] as const])
  const { address, bootFile } = await acquireLease(channel, { ...identity, options: ipxe }, timing)
  hold(address, mac)
  await read(bootFile, localAddress)
  await read(new URL('kernel', bootFile).href, localAddress)
  await read(new URL('initrd', bootFile).href, localAddress, true)
}

function hold(address: number, mac: string): void {
  const owner = owners.get(address) ?? mac
  if (owner !== mac) twice.push(`${ipv4ToText(address)}: ${owner} and ${mac}`)
  owners.set(address, owner)
}

async function read(url: string, localAddress: string, firstByte = false): Promise<void> {
  const [answer] = (await once(get(url, { localAddress, agent: false }), 'response')) as [IncomingMessage]
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`)
  for await (const _ of answer) if (firstByte) return
}

const started = performance.now()
const booted = await Promise.allSettled(
  Array.from({ length: Number(machines) }, async (_, index) => {
    await sleep(((index * 7_919) % Number(machines)) * ((Number(seconds) * 1_000) / Number(machines)))
    await boot(index)
  }),
)
const failed = booted.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
answers.sort((a, b) => a - b)
const at = (part: number): number =>
  answers[Math.min(answers.length - 1, Math.floor(answers.length * part))] ?? Number.NaN
console.log(
  JSON.stringify({
    reached: booted.length - failed.length,
    failed: failed.slice(0, 3),
    addresses: owners.size,
    twice,
    seconds: (performance.now() - started) / 1_000,
    answers: answers.length,
    sentAgain: unanswered,
    p50: at(0.5),
    p99: at(0.99),
    longest: at(1),
  }),
)
process.exit(0)
