import { labRamdisk } from '../lab/ramdisk.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { buildDemoImage } from '../images/demo-image.ts'
import { buildTestImage } from '../images/small-image.ts'
import { furnishCloud, giveBack, tour } from './cloud.ts'
import { folder, furnish, leaveFolder, takeFolder } from './desk.ts'
import { farewell } from './farewell.ts'
import { listen } from './interrupt.ts'
import { enrol, serve } from './journey.ts'
import { type DemoOptions, withOptions } from './options.ts'
import { openScreen, type Screen } from './screen.ts'
import { bootFromVolume } from './stored.ts'

/** Sparse. 4 GiB is the least that a node needs without a root device hint. */
const DISK_MIB = 5 * 1024
const STILL_MS = 15_000
/** What the appliance may promise: sparse, too. */
const VOLUMES_GIB = 8

const images = {
  debian: { name: 'debian-12', user: 'debian', memoryMiB: 1024, build: buildDemoImage },
  small: { name: 'small', user: 'root', memoryMiB: 768, build: buildTestImage },
}

async function demo({ servers, image: wanted, once, tour: tourToo, undeploy: back }: DemoOptions): Promise<void> {
  const screen = openScreen(console.log, () => performance.now())
  const interrupt = listen()
  const { build, user, memoryMiB, name: image } = images[wanted]
  let lab: Lab | undefined
  let done = false
  await takeFolder()
  try {
    screen.say(
      'ramdisk and image: built from Debian packages at the first run (about 2 minutes on two cores), then kept in .cache',
    )
    const [disk, ramdisk] = await atWork(screen, [build(screen.of('image').say), labRamdisk(screen.of('ramdisk').say)])
    // Of the two images it is the one that can have its root on a volume.
    const debian = tourToo ? await buildDemoImage(screen.of('image').say) : undefined
    lab = await startLab({
      name: 'demo',
      dir: folder,
      auth: 'keystone',
      volumes: VOLUMES_GIB,
      servers: servers.map((firmware, index) => ({
        name: `machine-${index + 1}`,
        firmware,
        diskMiB: DISK_MIB,
        memoryMiB: debian ? images.debian.memoryMiB : memoryMiB,
      })),
      log: screen.say,
      ramdisk,
    })
    const running = { lab, desk: await furnish(lab), screen, interrupt, image: { name: image, user } }
    const machines = lab.rack.servers
    const [enrolled] = await Promise.all([
      Promise.all(machines.map((machine) => enrol(running, machine))),
      furnishCloud(running, disk.qcow2),
    ])
    if (debian) await bootFromVolume(running, debian.path)
    const served = await Promise.all(machines.map((_, index) => serve(running, `server-${index + 1}`)))
    const journeys = served.map((each) => ({
      ...each,
      spent: [...(enrolled[machines.indexOf(each.machine)] ?? []), ...each.spent],
    }))
    const [first] = journeys
    if (tourToo && first) await tour(running, first)
    console.log(farewell(lab, running.desk, journeys))
    done = true
    if (!once) {
      console.log('\nCtrl-C stops all of it and leaves nothing running.')
      await interrupt.wait()
    }
    if (back && !interrupt.asked) await Promise.all(journeys.map((each) => giveBack(running, each)))
  } catch (error) {
    if (!interrupt.asked) throw error
  } finally {
    await lab?.stop()
    await leaveFolder()
    screen.say('stopped')
  }
  if (!done) process.exitCode = 130
}

/** Debian's tools say nothing for a minute at a time. */
async function atWork<T extends unknown[]>(
  screen: Screen,
  work: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const telling = setInterval(() => screen.say('… still building'), STILL_MS)
  try {
    return await Promise.all(work)
  } finally {
    clearInterval(telling)
  }
}

await withOptions(process.argv.slice(2), demo).catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
