import { labRamdisk } from '../lab/ramdisk.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { buildDemoImage } from '../images/demo-image.ts'
import { buildTestImage } from '../images/small-image.ts'
import { folder, furnish, leaveFolder, takeFolder } from './desk.ts'
import { farewell } from './farewell.ts'
import { endChildren, listen } from './interrupt.ts'
import { deploy, undeploy } from './journey.ts'
import { type DemoOptions, withOptions } from './options.ts'
import { byConsole, byLogin } from './proofs.ts'
import { openScreen, type } from './screen.ts'

/** Sparse. 4 GiB is the least that a node needs without a root device hint. */
const DISK_MIB = 5 * 1024
const PUSH_SECONDS = 300

const images = {
  debian: { name: 'debian-12', memoryMiB: 1024, build: buildDemoImage, prove: byLogin },
  small: { name: 'small', memoryMiB: 768, build: buildTestImage, prove: byConsole },
}

async function demo({ servers, image: wanted, once, undeploy: back }: DemoOptions): Promise<void> {
  const screen = openScreen(console.log, () => performance.now())
  const interrupt = listen(endChildren)
  const { build, prove, memoryMiB, name: image } = images[wanted]
  let lab: Lab | undefined
  let done = false
  try {
    await takeFolder()
    screen.say(
      'ramdisk and image: built from Debian packages at the first run (3 to 6 minutes on two cores), then kept in .cache',
    )
    const [disk] = await Promise.all([build(screen.of('image').say), labRamdisk(screen.of('ramdisk').say)])
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
    })
    const desk = await furnish(lab)
    await type(screen, `${desk.bloomery} image push ${disk.path} --name ${image}`, PUSH_SECONDS)
    const running = { lab, desk, screen, image, prove }
    const journeys = await Promise.all(lab.rack.servers.map((server) => deploy(running, server)))
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

await withOptions(process.argv.slice(2), demo).catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
