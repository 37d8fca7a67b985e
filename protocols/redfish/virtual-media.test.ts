import { expect, it } from 'vitest'
import { connect } from './client.ts'
import { findSystem } from './system.ts'
import { bmcWith, options, reply, resources, SYSTEM, type Trouble } from './testing/troubled-bmc.ts'
import { virtualClock } from './testing/virtual-clock.ts'
import { insertMedia } from './virtual-media.ts'

const MEDIA = `${SYSTEM}/VirtualMedia`
const SLOT = `${MEDIA}/Cd`
const target = (action: string): string => `${SLOT}/Actions/VirtualMedia.${action}`
const slot = (Image: string | null) => ({
  MediaTypes: ['CD'],
  Image,
  Inserted: Image !== null,
  Actions: {
    '#VirtualMedia.EjectMedia': { target: target('EjectMedia') },
    '#VirtualMedia.InsertMedia': { target: target('InsertMedia') },
  },
})
const [full, empty] = [reply(200, slot('http://old/')), reply(200, slot(null))]

/** In which order a BMC is asked that tells this of its slot, look by look; the last again and again. */
async function inserted(looks: readonly Trouble[]): Promise<string[]> {
  const clock = virtualClock()
  resources[MEDIA] = { Members: [{ '@odata.id': SLOT }] }
  resources[SYSTEM] = { PowerState: 'On', VirtualMedia: { '@odata.id': MEDIA } }
  const { transport, asked } = bmcWith(SLOT, looks.slice(0, -1), looks.at(-1))
  const work = async (): Promise<void> => {
    const bmc = await connect({ ...options, transport, clock })
    await insertMedia(bmc, await findSystem(bmc), { type: 'CD', image: 'http://new/' })
  }
  await clock.run(work())
  return asked.filter(({ path }) => path.startsWith(SLOT)).map(({ path }) => path.split('.').at(-1)!)
}

it('an image goes in once the old one is out, which may take a while', async () => {
  const look = SLOT
  expect(await inserted([full, full, full, empty])).toEqual([
    look,
    'EjectMedia',
    look,
    look,
    look,
    look,
    'InsertMedia',
    look,
  ])
})

it('one that never comes out is told as that, and nothing is put upon it', async () => {
  await expect(inserted([full])).rejects.toThrow(/eject virtual media.*still in after 30 s; restart the BMC/)
})
