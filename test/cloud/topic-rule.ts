import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { MqttClient } from 'mqtt'

const SQL = /^SELECT encode\(\*, 'base64'\) AS payload, topic\((\d)\) AS appliance FROM '([^']+)'$/

/** IoT's topic rule, for the one statement that the stack has. A message is acknowledged to its publisher by the broker; it is
 * acknowledged to the broker once the queue has it. */
export async function applyRule(sql: string, cloud: MqttClient, sqs: SQSClient, QueueUrl: string): Promise<void> {
  const [, part, filter] = SQL.exec(sql) ?? []
  if (!part || !filter) throw new Error(`this emulator can't do the rule: ${sql}`)
  const levels = new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`)
  cloud.handleMessage = ({ topic, payload }, done) => {
    if (!levels.test(topic)) {
      done()
      return
    }
    const appliance = topic.split('/')[Number(part) - 1]
    const MessageBody = JSON.stringify({ payload: Buffer.from(payload).toString('base64'), appliance })
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody })).then(() => done(), done)
  }
  await cloud.subscribeAsync(filter, { qos: 1 })
}
