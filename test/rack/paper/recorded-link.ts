import { downlink, uplink, type Downlink, type Uplink } from '../../../contract/messages.ts'
import type { Link } from '../../../appliance/uplink/link.ts'

/** What crossed a site's link, both ways, through all lives of its appliance. */
export interface Crossed {
  /** All that was sent, known before the cloud can act on it; what was lost on the way is there again. */
  sent: Uplink[]
  /** Those that the broker acknowledged, which may be after the cloud acted on them. */
  up: Uplink[]
  down: Downlink[]
}

export function recorded(link: Link, crossed: Crossed): Link {
  return {
    publish: async (payload) => {
      const message = uplink.parse(JSON.parse(payload))
      crossed.sent.push(message)
      await link.publish(payload)
      crossed.up.push(message)
    },
    onMessage: (handler) =>
      link.onMessage((payload) => {
        crossed.down.push(downlink.parse(JSON.parse(payload)))
        handler(payload)
      }),
    onConnect: (handler) => link.onConnect(handler),
    end: () => link.end(),
  }
}
