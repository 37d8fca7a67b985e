import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@bloomery/wire/free-port.ts'
import { createClient } from '../../contract/api/client.ts'
import { run, serve } from '../scenarios/bloomery-process.ts'
import { type Program, startProgram } from './program.ts'

export const SITE = 'lab'
const APPLIANCE = 'conductor-1'
const bloomery = join(import.meta.dirname, '../../bin/bloomery')

export interface Bloomery {
  endpoint: string
  cloud: number
  appliance: number
  stop(): Promise<void>
}

/** Ours as people run it, in a directory that ends with it: the cloud and one site's appliance, programs of their own on loopback, plain HTTP as Ironic's is. */
export async function startBloomery(dir: string, seed?: (data: string) => Promise<void>): Promise<Bloomery> {
  const cloudData = join(dir, 'cloud')
  mkdirSync(cloudData, { recursive: true, mode: 0o700 })
  await seed?.(cloudData)
  const cloud = await serve(cloudData)
  let appliance: Program | undefined
  const stop = async (): Promise<void> => {
    await appliance?.stop()
    await cloud.kill('SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const { sites, conductors } = createClient({ endpoint: cloud.endpoint })
    await sites.create(SITE)
    const data = join(dir, 'appliance')
    const { token } = await sites.createToken(SITE)
    const settings = { BLOOMERY_TOKEN: token, BLOOMERY_ENDPOINT: cloud.endpoint, BLOOMERY_CA: cloud.authorities }
    const enrolled = await run(['appliance', 'enrol', '--name', APPLIANCE, '--data-dir', data], settings)
    if (enrolled.code !== 0) throw new Error(`the appliance did not join: ${enrolled.stderr}`)
    const config = join(dir, 'appliance.json')
    const ramdisk = join(dir, 'ramdisk')
    writeFileSync(ramdisk, 'nothing here boots')
    writeFileSync(config, JSON.stringify(await settingsOf(data, ramdisk)))
    const log = join(dir, 'appliance.log')
    const command: [string, ...string[]] = [bloomery, 'appliance', 'run', '--config', config]
    appliance = await startProgram(command, log, async () => {
      const isReady = readFileSync(log, 'utf8').includes('appliance is up')
      return isReady && (await conductors.list()).some(({ alive }) => alive)
    })
    return { endpoint: cloud.endpoint, cloud: cloud.pid, appliance: appliance.pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Its boot services listen too, where nobody will ask them. */
async function settingsOf(data: string, ramdisk: string) {
  const dhcp = { host: '127.0.0.1', port: 0, relayPort: 0, clientPort: await freePort(), pxePort: 0, probe: false }
  return {
    data_dir: data,
    door_port: await freePort(),
    image_port: await freePort(),
    boot: {
      nextServer: '127.0.0.1',
      subnets: [
        {
          cidr: '127.0.0.0/8',
          interfaceAddress: '127.0.0.1',
          range: ['127.200.0.1', '127.200.0.9'],
          gateway: '127.0.0.1',
        },
      ],
      dhcp,
      tftp: { host: '127.0.0.1', port: 0 },
      http: { host: '127.0.0.1', port: 0 },
      files: { x86_64: { kernel: ramdisk, initrd: ramdisk } },
    },
  }
}
