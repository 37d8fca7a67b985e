import { labRamdisk } from '../lab/ramdisk.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { buildDemoImage } from '../images/demo-image.ts'
import { buildTestImage } from '../images/small-image.ts'
import { folder, furnish, leaveFolder, shown, takeFolder } from './desk.ts'
import { farewell } from './farewell.ts'
import { listen } from './interrupt.ts'
import { deploy, undeploy } from './journey.ts'
import { type DemoOptions, withOptions } from './options.ts'
import { byConsole, byLogin } from './proofs.ts'
import { openScreen, type Screen, type } from './screen.ts'

/** Sparse. 4 GiB is the least that a node needs without a root device hint. */
const DISK_MIB = 5 * 1024
const PUSH_SECONDS = 300
const STILL_MS = 15_000

const images = {
  debian: { name: 'debian-12', memoryMiB: 1024, build: buildDemoImage, prove: byLogin },
  small: { name: 'small', memoryMiB: 768, build: buildTestImage, prove: byConsole },
}

async function demo({ servers, image: wanted, once, undeploy: back }: DemoOptions): Promise<void> {
  const screen = openScreen(console.log, () => performance.now())
  const interrupt = listen()
  const { build, prove, memoryMiB, name: image } = images[wanted]
  let lab: Lab | undefined
  let done = false
  await takeFolder()
  try {
    screen.say(
      'ramdisk and image: built from Debian packages at the first run (about 2 minutes on two cores), then kept in .cache',
    )
    const [disk, ramdisk] = await atWork(screen, [build(screen.of('image').say), labRamdisk(screen.of('ramdisk').say)])
    lab = await startLab({
      name: 'demo',
      dir: folder,
      servers: servers.map((firmware, index) => ({
        name: `server-${index + 1}`,
        firmware,
        diskMiB: DISK_MIB,
        memoryMiB,
      })),
      log: screen.say,
      ramdisk,
    })
    const desk = await furnish(lab)
    const pushed = type(screen, `${desk.bloomery} image push ${shown(disk.path)} --name ${image}`, PUSH_SECONDS)
    const running = { lab, desk, screen, image, pushed, prove }
    const [, journeys] = await Promise.all([
      pushed,
      Promise.all(lab.rack.servers.map((server) => deploy(running, server))),
    ])
    console.log(farewell(lab, desk, journeys))
    done = true
    if (!once) {
      console.log('\nCtrl-C stops all of it and leaves nothing running.')
      await interrupt.wait()
    }
    if (back && !interrupt.asked) await Promise.all(lab.rack.servers.map((server) => undeploy(desk, screen, server)))
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
