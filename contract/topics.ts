/** MQTT topics. The broker lets an appliance subscribe to its own `down` and publish to its own `up` only, by its thing name (= client id). */
const ROOT = 'bloomery/v1'

export const topics = {
  down: (appliance: string): string => `${ROOT}/${appliance}/down`,
  up: (appliance: string): string => `${ROOT}/${appliance}/up`,
  /** What a rule or broker subscribes to for all appliances' reports. */
  everyUp: `${ROOT}/+/up`,
}

/** The appliance whose `up` topic this is, else undefined. */
export function applianceOfUp(topic: string): string | undefined {
  const [root, version, appliance, way, ...more] = topic.split('/')
  return `${root}/${version}` === ROOT && way === 'up' && more.length === 0 && appliance ? appliance : undefined
}
