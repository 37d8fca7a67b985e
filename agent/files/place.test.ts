import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inside, makeFolders } from './place.ts'
import { decodeBase64, injectArguments } from './wanted.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'system-'))
  mkdirSync(join(root, 'etc/real'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('a path inside of a mounted system', () => {
  it.each([
    ['/etc/motd', 'etc/motd'],
    ['//etc/./motd', 'etc/motd'],
    ['/absolute/motd', 'etc/motd'],
    ['/relative/motd', 'etc/real/motd'],
    ['/outward/passwd', 'passwd'],
    ['/twice/motd', 'etc/motd'],
    ['/absolute', 'absolute'],
  ])('%s is %s, wherever links say that they lead', async (path, at) => {
    symlinkSync('/etc', join(root, 'absolute'))
    symlinkSync('etc/real', join(root, 'relative'))
    symlinkSync('../../../..', join(root, 'outward'))
    symlinkSync('absolute', join(root, 'twice'))
    expect(await inside(root, path)).toBe(join(root, at))
  })

  it('that goes round in circles is refused', async () => {
    symlinkSync('b', join(root, 'a'))
    symlinkSync('a', join(root, 'b'))
    await expect(inside(root, '/a/x')).rejects.toThrow('more than 40 symbolic links')
  })

  it('has its folders made, through links too, and never outside', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'))
    symlinkSync(outside, join(root, 'away'))
    expect(await makeFolders(root, '/away/a/b', 0o755)).toBe(join(root, outside, 'a/b'))
    expect(readdirSync(outside)).toEqual([])
    rmSync(outside, { recursive: true })
    writeFileSync(join(root, 'file'), '')
    await expect(makeFolders(root, '/file/a', 0o755)).rejects.toThrow(/ENOTDIR|EEXIST/)
  })
})

describe('what to inject', () => {
  it('is read as people write it for Ironic', () => {
    const given = { path: '/etc/motd', content: 'aGk=', mode: '0600', dirmode: 493, owner: 'root', partition: 2 }
    expect(injectArguments.parse({ files: [given] })).toEqual({
      files: [{ ...given, mode: 0o600, dirmode: 0o755, deleted: false }],
      verify_ca: true,
    })
  })

  it.each([
    [{ path: 'etc/motd' }],
    [{ path: '/etc/../../x' }],
    [{ path: '/etc/' }],
    [{ path: '/a', mode: '9' }],
    [{ path: '/a', owner: 'a:b' }],
    [{ path: '/a', something: 1 }],
    [{}],
  ])('is refused where it is %j', (file) => {
    expect(injectArguments.safeParse({ files: [file] }).success).toBe(false)
  })

  it('is base64 in one line or many', () => {
    expect(decodeBase64('aGVs\nbG8=')?.toString()).toBe('hello')
    for (const bad of ['aGVsbG8', 'a*==', 'not base64!']) expect(decodeBase64(bad)).toBeUndefined()
  })
})
