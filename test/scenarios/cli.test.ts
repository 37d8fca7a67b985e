import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hashSync } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '@bloomery/wire/free-port.ts'
import { run, serve, type Ran, type Served } from './bloomery-process.ts'
import { enrol } from './hand-made-appliance.ts'

let dir: string
let cloud: Served
const cli = (...args: string[]): Promise<Ran> => run([...args, '--endpoint', cloud.endpoint])
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, stdout, stderr } = await cli(...args, '--json')
  if (code !== 0) throw new Error(`bloomery ${args.join(' ')}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** A command that is killed once it has said this. */
async function broken(said: RegExp, ...args: string[]): Promise<void> {
  const bloomery = join(import.meta.dirname, '../../bin/bloomery')
  const child = spawn(bloomery, [...args, '--endpoint', cloud.endpoint], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (said.test(text)) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect([signal, text]).toEqual(['SIGKILL', expect.stringMatching(said)])
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bloomery-cli-'))
  cloud = await serve(join(dir, 'data'))
  await json('site', 'create', 'berlin', '--description', 'Hall 2')
  await enrol(cloud, 'berlin', 'rack-7')
  await writeFile(join(dir, 'password'), 'correct horse\n')
})
afterAll(async () => {
  await cloud.kill('SIGTERM')
  await rm(dir, { recursive: true })
})

describe('bloomery', () => {
  it('shows help with examples for every command', async () => {
    const groups = [
      ['serve'],
      ['site', 'create'],
      ['site', 'list'],
      ['site', 'enrol'],
      ['node', 'create'],
      ['node', 'list'],
    ]
    groups.push(['node', 'show'], ['node', 'manage'], ['node', 'provide'], ['node', 'power'], ['port', 'create'])
    groups.push(['port', 'list'], ['image', 'push'], ['image', 'list'], ['image', 'delete'], ['deploy'], ['undeploy'])
    groups.push(...['create', 'list', 'show', 'set', 'delete', 'failures', 'replay'].map((verb) => ['webhook', verb]))
    groups.push(...['list', 'show', 'rename', 'delete'].map((verb) => ['appliance', verb]))
    groups.push(['appliance', 'enrol'], ['appliance', 'check'], ['appliance', 'run'])
    groups.push(['appliance', 'capture'], ['node', 'capture'], ['console'])
    groups.push(['node', 'health'], ['node', 'sensors'])
    for (const command of groups) {
      const { code, stdout } = await run([...command, '--help'])
      expect([command, code]).toEqual([command, 0])
      expect(stdout).toMatch(/Examples:\n.*bloomery/)
    }
  })

  it('works through a symbolic link, from any directory', async () => {
    const link = join(dir, 'link')
    await symlink(join(import.meta.dirname, '../../bin/bloomery'), link)
    await symlink('link', join(dir, 'link-to-link'))
    expect(await run(['--help'], {}, join(dir, 'link-to-link'))).toMatchObject({ code: 0 })
  })

  it.each([
    [['frobnicate'], 2, /unknown command/],
    [['node', 'power', 'n', 'sideways'], 2, /on \| off/],
    [['node', 'create', '--driver-info', 'ipmi_password=x'], 2, /ipmi_password=@FILE/],
    [['node', 'create', '--driver-info', 'ipmi_password=@/nonexistent'], 2, /cannot read \/nonexistent/],
    [['deploy', 'n', '--image', 'http://x.example/i'], 2, /needs --checksum/],
    [['node', 'show', 'nobody'], 3, /nobody could not be found/],
    [['node', 'list', '--endpoint', 'http://127.0.0.1:65534'], 4, /is `bloomery serve` running/],
    [['node', 'list', '--ca', '/nonexistent.pem'], 2, /cannot read/],
    [['node', 'list', '--ca', import.meta.filename], 2, /holds no certificate/],
    [['appliance', 'enrol', '--name', 'x'], 2, /BLOOMERY_TOKEN/],
    [['serve', '--host', '192.0.2.1'], 2, /--auth http_basic/],
  ] as const)('says what is wrong with %j', async (args, code, message) => {
    const given = args.includes('--endpoint' as never) || args[0] === 'serve'
    const ran = given ? await run([...args]) : await cli(...args)
    expect(ran).toMatchObject({ code, stdout: '' })
    expect(ran.stderr).toMatch(message)
  })

  it('lists sites with their appliances', async () => {
    const { stdout } = await cli('site', 'list')
    expect(stdout).toMatch(/^SITE +APPLIANCES +DESCRIPTION\nberlin +rack-7.* +Hall 2\n$/)
    expect(await json('site', 'list')).toMatchObject({ sites: [{ name: 'berlin' }] })
  })

  it('lists appliances with the ends of their certificates', async () => {
    const { stdout } = await cli('appliance', 'list')
    expect(stdout).toMatch(/^NAME +SITE +ALIVE +HEARD OF +CERTIFICATE ENDS\nrack-7 +berlin +no +20/)
    expect((await cli('appliance', 'show', 'rack-7')).stdout).toMatch(/^certificate_ends +20\d\d-/m)
  })

  it('makes a token, and prints the command that uses it', async () => {
    const { token, command } = await json<{ token: string; command: string }>('site', 'enrol', 'berlin')
    expect(command).toContain(`BLOOMERY_TOKEN=${token} bloomery appliance enrol --endpoint ${cloud.endpoint}`)
    const data = join(dir, 'appliance')
    const args = ['appliance', 'enrol', '--endpoint', cloud.endpoint, '--name', 'rack-8', '--data-dir', data]
    expect(await run(args, { BLOOMERY_TOKEN: token })).toMatchObject({ code: 0 })
    expect((await run(args, { BLOOMERY_TOKEN: token })).stderr).toMatch(/has joined a site/)
    const used = await run([...args.slice(0, 4), '--name', 'rack-9', '--data-dir', join(dir, 'other')], {
      BLOOMERY_TOKEN: token,
    })
    expect(used.code).not.toBe(0)
  })

  it('ends an appliance that can’t serve what it is told to, and says why', async () => {
    const config = join(dir, 'appliance.json')
    const files = { x86_64: { kernel: '/nonexistent/vmlinuz', initrd: '/nonexistent/initrd' } }
    const boot = { nextServer: '127.0.0.1', subnets: [], http: { port: await freePort() }, files }
    const ports = { door_port: await freePort(), image_port: await freePort() }
    const whole = { data_dir: join(dir, 'appliance'), image_cache_gib: 1, ...ports, boot }
    await writeFile(config, JSON.stringify(whole))
    // Without an end, `run` would be cut off with another code and no word of the file.
    const ran = await run(['appliance', 'run', '--config', config])
    expect(ran).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/nonexistent/vmlinuz is not readable') as string,
    })
  })

  it('creates a node with a password that is shown nowhere, and its port', async () => {
    const secret = `ipmi_password=@${join(dir, 'password')}`
    const info = [
      '--driver-info',
      'ipmi_address=192.0.2.1',
      '--driver-info',
      'ipmi_username=admin',
      '--driver-info',
      secret,
    ]
    await cli('node', 'create', '--name', 'n1', '--site', 'berlin', ...info, '--property', 'cpus=4')
    expect(await cli('port', 'create', '--node', 'n1', '--address', '52:54:00:AA:00:01')).toMatchObject({ code: 0 })
    const node = await json<Record<string, unknown>>('node', 'show', 'n1')
    expect(node).toMatchObject({
      conductor_group: 'berlin',
      properties: { cpus: 4 },
      driver_info: { ipmi_password: '******' },
    })
    expect(cloud.log() + (await cli('node', 'show', 'n1')).stdout).not.toContain('correct horse')
    expect((await cli('port', 'list', '--node', 'n1')).stdout).toContain('52:54:00:aa:00:01')
    expect((await cli('node', 'list', '--site', 'berlin')).stdout).toMatch(/n1 +berlin +enroll/)
    expect(await json('node', 'list', '--state', 'active')).toEqual([])
  })

  it('pushes an image whole, with its digest', async () => {
    const bytes = randomBytes(3_000_000)
    await writeFile(join(dir, 'small.raw'), bytes)
    const pushed = await cli('image', 'push', join(dir, 'small.raw'))
    expect(pushed).toMatchObject({ code: 0 })
    expect(pushed.stderr).toContain('pushing 100%')
    const digest = createHash('sha256').update(bytes).digest('hex')
    expect(await json('image', 'list')).toMatchObject([
      { name: 'small', state: 'active', size: bytes.length, disk_format: 'raw', os_hash_value: digest },
    ])
    expect(await cli('image', 'push', join(dir, 'small.raw'))).toMatchObject({ code: 3 })
  })

  it('knows qcow2 by its first bytes', async () => {
    await promisify(execFile)('qemu-img', ['convert', '-O', 'qcow2', join(dir, 'small.raw'), join(dir, 'q.img')])
    expect(await json('image', 'push', join(dir, 'q.img'), '--name', 'q')).toMatchObject({
      manifest: { source_format: 'qcow2' },
    })
    await writeFile(join(dir, 'torn.img'), (await readFile(join(dir, 'q.img'))).subarray(0, 1000))
    const torn = await cli('image', 'push', join(dir, 'torn.img'))
    expect(torn).toMatchObject({ code: 2, stderr: expect.stringMatching(/torn.img can't be used/) as string })
    const lie = await cli('image', 'push', join(dir, 'q.img'), '--name', 'lie', '--format', 'raw')
    expect(lie).toMatchObject({ code: 2, stderr: expect.stringMatching(/begins as qcow2, and is not raw/) as string })
  })

  it('sends of a second version only what differs, also after a push that broke off', async () => {
    const MiB = 1024 * 1024
    const bytes = randomBytes(40 * MiB)
    await writeFile(join(dir, 'v1.raw'), bytes)
    const uploaded = async (name: string): Promise<number> =>
      Number(/ (\d+) bytes uploaded/.exec((await cli('image', 'push', join(dir, `${name}.raw`))).stdout)?.[1])
    const first = await uploaded('v1')
    expect(first).toBeGreaterThan(40 * MiB)
    for (let at = 0; at < 2; at += 1) randomBytes(MiB).copy(bytes, at * 20 * MiB + 17 * MiB)
    await writeFile(join(dir, 'v2.raw'), bytes)
    expect((await uploaded('v2')) / first).toBeLessThan(0.08)
    const later = randomBytes(100 * MiB)
    await writeFile(join(dir, 'v3.raw'), later)
    await broken(/ [1-9]\d* MiB stored/, 'image', 'push', join(dir, 'v3.raw'))
    expect(await uploaded('v3')).toBeLessThan(100 * MiB)
    expect(await json('image', 'list')).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'v3', state: 'active' })]),
    )
  })

  it('signs with the key that it made', async () => {
    const file = join(dir, 'key.pem')
    const { public_key: made } = await json<{ public_key: string }>('image', 'key', '--file', file)
    expect(made).toMatch(/^ed25519:/)
    expect(await json('image', 'key', '--file', file)).toMatchObject({ public_key: made })
    await writeFile(join(dir, 'signed.raw'), randomBytes(5000))
    expect(await json('image', 'push', join(dir, 'signed.raw'), '--key', file)).toMatchObject({
      manifest: { key: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
    })
  })

  it('stops waiting at its deadline, and says that the operation goes on', async () => {
    const waited = await cli('node', 'manage', 'n1', '--wait', '--timeout', '2')
    expect(waited.code).toBe(1)
    expect(waited.stderr).toMatch(/still verifying after 2 s; it goes on/)
    expect(waited.stdout).toContain('verifying')
  })
})

describe('bloomery over TLS with users', () => {
  it('trusts the authority it is told, and asks with a name and password', async () => {
    const users = join(dir, 'users')
    await writeFile(users, `ann:${hashSync('pass word', 4)}\n`)
    const port = await freePort()
    const endpoint = `https://127.0.0.1:${port}`
    const flags = ['--host', '0.0.0.0', '--port', String(port), '--public-url', endpoint]
    const other = await serve(join(dir, 'tls'), ...flags, '--auth', 'http_basic', '--htpasswd', users)
    try {
      const login = { BLOOMERY_USERNAME: 'ann', BLOOMERY_PASSWORD: 'pass word' }
      const at = ['site', 'list', '--endpoint', endpoint]
      const trusting = [...at, '--ca', other.authorities]
      expect(await run(at, login)).toMatchObject({ code: 4, stderr: expect.stringMatching(/--ca/) as string })
      expect(await run(trusting)).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/BLOOMERY_PASSWORD/) as string,
      })
      expect(await run(trusting, { ...login, BLOOMERY_PASSWORD: 'wrong' })).toMatchObject({ code: 3 })
      expect(await run(trusting, login)).toMatchObject({ code: 0 })
      await writeFile(join(dir, 'tls.raw'), randomBytes(2_000_000))
      const push = ['image', 'push', join(dir, 'tls.raw'), '--endpoint', endpoint, '--ca', other.authorities]
      expect(await run(push, login)).toMatchObject({ code: 0 })

      const file = join(dir, 'config', 'bloomery', 'config.json')
      await mkdir(join(dir, 'config', 'bloomery'), { recursive: true })
      const stored = { endpoint, ca: other.authorities, username: 'ann', password: 'pass word' }
      await writeFile(file, JSON.stringify(stored), { mode: 0o644 })
      const configured = { XDG_CONFIG_HOME: join(dir, 'config') }
      expect(await run(['site', 'list'], configured)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/chmod 600/) as string,
      })
      await chmod(file, 0o600)
      expect(await run(['site', 'list'], configured)).toMatchObject({ code: 0 })
    } finally {
      await other.kill('SIGTERM')
    }
  })
})
