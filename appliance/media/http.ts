import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { askedRange, byteRange } from '../boot/http-file.ts'
import { MEDIUM } from '../boot/boot-part.ts'
import type { BootUse } from '../boot/boot-use.ts'
import type { BootEvents } from '../boot/machine.ts'
import type { Log } from '../log.ts'
import type { BootMedia } from './media.ts'
import { readIso } from './read-iso.ts'

export interface MediaHttpParts {
  media: BootMedia
  boots: BootUse
  events: BootEvents
  log: Log
}

/** The medium of a boot that is still due, to who has its token: to the BMC, which fetches it piece by piece while the machine reads. */
export function mediaApp({ media, boots, events, log }: MediaHttpParts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get(`/boot/:token/${MEDIUM}`, async (c) => {
    const boot = boots.allowed(c.req.param('token'), MEDIUM, c.env.incoming.socket.remoteAddress)
    if (boot === undefined) return c.text('this boot is over\n', 403)
    const { machine, mac } = boot
    if (!machine.ramdisk?.media) return c.text('this machine boots by no medium\n', 404)
    const iso = await media.open(machine, mac)
    const range = byteRange(askedRange(c.req), iso.size)
    if (range === 'unsatisfiable') return c.body(null, 416, { 'content-range': `bytes */${iso.size}` })
    const { first, last } = range ?? { first: 0, last: iso.size - 1 }
    const headers = {
      'content-type': 'application/vnd.efi-iso', // UEFI 2.10 §24.7.3.1: what HTTP boot may start as a disk
      'content-length': String(last - first + 1),
      'accept-ranges': 'bytes',
      ...(range ? { 'content-range': `bytes ${first}-${last}/${iso.size}` } : {}),
    }
    const status = range ? 206 : 200
    if (c.req.method === 'HEAD') return c.body(null, status, headers)
    events.seen(mac, 'medium', { bytes: last - first + 1, size: iso.size })
    log.debug({ node: machine.node, first, last }, 'boot medium read')
    c.env.outgoing.writeHead(status, headers)
    await pipeline(Readable.from(readIso(iso, first, last), { objectMode: false }), c.env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  return app
}
