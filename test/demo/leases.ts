/** The address that the appliance's DHCP gave last to this card, by the appliance's log: where a person on site would look. */
export function lastAddress(log: string, mac: string): string | undefined {
  for (const line of log.split('\n').reverse()) {
    if (!line.includes('"reply":"ack"') || !line.includes(`"mac":"${mac}"`)) continue
    return /"address":"([\d.]+)"/.exec(line)?.[1]
  }
  return undefined
}
