import { downlink, uplink, type Downlink, type Uplink } from '../../../contract/messages.ts'
import type { Link } from '../../../appliance/uplink/link.ts'

/** What crossed a site's link, both ways, through all lives of its appliance. */
export interface Crossed {
  /** As they were sent: the cloud may act on a message before the broker's acknowledgement is here. */
  up: Uplink[]
  down: Downlink[]
}

export function recorded(link: Link, crossed: Crossed): Link {
  return {
    publish: (payload) => {
      crossed.up.push(uplink.parse(JSON.parse(payload)))
      return link.publish(payload)
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
