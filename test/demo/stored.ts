import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../agent/ramdisk/run.ts'
import { layout } from '../images/disk.ts'
import { settled } from '../lab/walk.ts'
import { until } from './cloud.ts'
import { folder, project, shown } from './desk.ts'
import { machineOf, type Running } from './journey.ts'
import { logIn } from './proof.ts'
import { type } from './screen.ts'

const SECONDS = 900
const SERVER = 'stored'
/** What it is asked by ssh: the disks that it has, and how each is reached. */
const DISKS = 'lsblk --noheadings --output NAME,TRAN,SIZE,MOUNTPOINT'

/** A server without a disk of its own boots from a volume at the site, and gives it back. `raw`: Debian's image, whose initramfs has an iSCSI initiator. */
export async function bootFromVolume(running: Running, raw: string): Promise<void> {
  const { desk, screen, lab } = running
  const own = screen.of(SERVER)
  const openstack = (line: string) => type(own, `${desk.openstack} ${line}`, SECONDS)
  const image = shown(await withKey(raw, desk.publicKey))
  own.say('a server that boots from a volume has no config drive: its owner’s key is in the image')
  await openstack(`image create mine --disk-format qcow2 --container-format bare --file ${image} -f yaml -c status`)
  await openstack('volume create root --size 1 --image mine --bootable -f yaml -c name -c size')
  const isFree = `${desk.openstack} volume show root -f value -c status | grep available`
  await until(own, isFree)
  await openstack(`server create ${SERVER} --flavor metal --volume root --network rack --wait -f yaml -c status`)
  const machine = await machineOf(lab, SERVER)
  own.say(`${SERVER} is on ${machine.name}; waiting for its boot from the volume`)
  const { line, answer } = await logIn({ ...running, image: { name: 'mine', user: 'debian' } }, SERVER, machine, DISKS)
  own.say(`$ ${line} ${DISKS}`)
  for (const disk of answer.split('\n')) own.say(`  ${disk}`)
  if (!/iscsi/.test(answer)) throw new Error(`${SERVER} has no disk by iSCSI: ${answer}`)
  await openstack('volume list --long')
  await openstack(`server delete ${SERVER} --wait`)
  await until(own, isFree)
  await openstack('volume delete root')
  await until(own, `! ${desk.openstack} volume show root -f value -c status`)
  await settled(lab.client, machine.name, 'available', SECONDS * 1000)
}

/** The address by which its root is reached comes from the initramfs: nothing may take that away. */
const HANDS_OFF = '[Match]\nName=*\n[Link]\nUnmanaged=yes\n'

/** The image and what a config drive would have said, written into it without a mount. */
async function withKey(raw: string, publicKey: string): Promise<string> {
  const copy = join(folder, 'mine.raw')
  await copyFile(raw, copy)
  const keys = [(await readFile(join(project, publicKey), 'utf8')).trim()]
  const owner = { hostname: SERVER, ssh_authorized_keys: keys, network: { config: 'disabled' } }
  // JSON is YAML.
  await put(copy, '/etc/cloud/cloud.cfg.d', '95-owner.cfg', `${JSON.stringify(owner)}\n`)
  await put(copy, '/etc/systemd/network', '00-volume.network', HANDS_OFF)
  const image = join(folder, 'mine.qcow2')
  await run('qemu-img', ['convert', '-O', 'qcow2', copy, image])
  await rm(copy)
  return image
}

/** debugfs says by no exit code that it failed. */
async function put(disk: string, directory: string, name: string, text: string): Promise<void> {
  const [file, commands] = [join(folder, name), join(folder, 'debugfs')]
  await writeFile(file, text)
  await writeFile(commands, `cd ${directory}\nwrite ${file} ${name}\n`)
  const root = `${disk}?offset=${layout.root.at << 20}`
  await run('debugfs', ['-w', '-f', commands, root])
  if ((await run('debugfs', ['-R', `cat ${directory}/${name}`, root])) !== text)
    throw new Error(`${disk} did not take ${directory}/${name}`)
}
