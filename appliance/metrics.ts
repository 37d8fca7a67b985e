/** What the boot services count: Prometheus' names, types and help (text format 0.0.4). */
const catalogue = {
  bloomery_dhcp_decisions_total: ['counter', 'DHCP messages decided, by request, reply and whether as a proxy.'],
  bloomery_dhcp6_decisions_total: ['counter', 'DHCPv6 messages decided, by request and reply.'],
  bloomery_dhcp_dropped_total: ['counter', 'DHCP messages that were not understood or not answerable.'],
  bloomery_dhcp_answer_seconds: ['histogram', 'From hearing a DHCP message to sending its answer, durable.'],
  bloomery_dhcp_foreign_servers_total: ['counter', 'Signs of other DHCP servers on our networks, by server.'],
  bloomery_dhcp_late_starts_total: [
    'counter',
    'Machines first heard long after they began to ask, as behind spanning tree.',
  ],
  bloomery_dhcp_leases: ['gauge', 'Leases in memory: offered, bound, declined or run out.'],
  bloomery_tftp_transfers_total: ['counter', 'TFTP transfers ended, by result.'],
  bloomery_tftp_bytes_total: ['counter', 'Bytes of files that TFTP clients acknowledged.'],
  bloomery_http_requests_total: ['counter', 'Requests of HTTP boot, by part and status.'],
  bloomery_http_bytes_total: ['counter', 'Bytes of kernels and ramdisks sent over HTTP.'],
  bloomery_image_wan_bytes_total: ['counter', 'Bytes of images in chunks that came over the WAN.'],
  bloomery_bmc_looks_total: ['counter', "Looks at BMCs' sensors and logs, by result."],
  bloomery_bmc_look_seconds: ['histogram', 'What a look at a BMC took.'],
  bloomery_node_health: ['gauge', 'Health of a machine by its BMC: 0 OK, 1 warning, 2 critical.'],
  bloomery_node_watts: ['gauge', 'What a machine draws, by its BMC.'],
  bloomery_sensor_celsius: ['gauge', 'Temperatures in machines.'],
  bloomery_sensor_watts: ['gauge', 'Power of parts of machines.'],
  bloomery_sensor_fan_speed: ['gauge', 'Fans, in revolutions per minute or percent.'],
  bloomery_sensor_volts: ['gauge', 'Voltages in machines.'],
  bloomery_sensor_amperes: ['gauge', 'Currents in machines.'],
  bloomery_sensors_left_out_total: ['counter', 'Readings of sensors that were too many to be shown here.'],
} as const

export type MetricName = keyof typeof catalogue
type Labels = Readonly<Record<string, string | number>>
export type Sample = readonly [labels: Labels, value: number]

export interface Metrics {
  count(name: MetricName, labels?: Labels, by?: number): void
  /** Counts what is counted thousands of times a second: its labels are written out once. */
  counter(name: MetricName, labels: Labels): (by?: number) => void
  /** Seconds, for a histogram. */
  observe(name: MetricName, seconds: number): void
  /** Read when somebody looks. */
  gauge(name: MetricName, read: () => number): void
  /** The same of many things; whoever reads them bounds their number. */
  samples(name: MetricName, read: () => Iterable<Sample>): void
  text(): string
}

/** Labels come from the network, so their number is bounded: what is beyond is counted under `other`. */
const MAX_SERIES = 128
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

interface Histogram {
  /** Each value in the first that holds it; one more for those beyond the last. */
  buckets: number[]
  sum: number
  count: number
}

export function openMetrics(): Metrics {
  const counters = new Map<MetricName, Map<string, { total: number }>>()
  const gauges = new Map<MetricName, () => Iterable<Sample>>()
  const histograms = new Map<MetricName, Histogram>()
  return {
    count: (name, labels = {}, by = 1) => void (seriesOf(name, labels).total += by),
    counter(name, labels) {
      const series = seriesOf(name, labels)
      return (by = 1) => void (series.total += by)
    },
    observe(name, seconds) {
      const found = histograms.get(name) ?? { buckets: Array<number>(BUCKETS.length + 1).fill(0), sum: 0, count: 0 }
      if (found.count === 0) histograms.set(name, found)
      let index = 0
      while (seconds > (BUCKETS[index] ?? Infinity)) index += 1
      found.buckets[index] = (found.buckets[index] ?? 0) + 1
      found.sum += seconds
      found.count += 1
    },
    gauge: (name, read) => void gauges.set(name, () => [[{}, read()]]),
    samples: (name, read) => void gauges.set(name, read),
    text() {
      const names = Object.keys(catalogue) as MetricName[]
      return names.flatMap((name) => [...head(name), ...lines(name)]).join('\n') + '\n'
    },
  }

  function seriesOf(name: MetricName, labels: Labels): { total: number } {
    const ofName = counters.get(name) ?? new Map<string, { total: number }>()
    counters.set(name, ofName)
    const wanted = labelText(labels)
    const key = ofName.has(wanted) || ofName.size < MAX_SERIES ? wanted : '{series="other"}'
    const series = ofName.get(key) ?? { total: 0 }
    ofName.set(key, series)
    return series
  }

  function lines(name: MetricName): string[] {
    const gauge = gauges.get(name)
    if (gauge !== undefined) return Array.from(gauge(), ([labels, value]) => `${name}${labelText(labels)} ${value}`)
    const histogram = histograms.get(name)
    if (histogram !== undefined) return histogramLines(name, histogram)
    return [...(counters.get(name) ?? [])].map(([labels, { total }]) => `${name}${labels} ${total}`)
  }
}

function head(name: MetricName): string[] {
  const [type, help] = catalogue[name]
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function histogramLines(name: string, { buckets, sum, count }: Histogram): string[] {
  let upTo = 0
  const limited = BUCKETS.map((limit, index) => `${name}_bucket{le="${limit}"} ${(upTo += buckets[index] ?? 0)}`)
  return [...limited, `${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum}`, `${name}_count ${count}`]
}

function labelText(labels: Labels): string {
  let text = ''
  for (const name in labels) text += `${text === '' ? '{' : ','}${name}="${escaped(String(labels[name]))}"`
  return text === '' ? '' : `${text}}`
}

function escaped(value: string): string {
  if (!/["\\\n]/.test(value)) return value
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
}
