import { describe, expect, it } from 'vitest'
import { configure, fromEnvironment } from './config.ts'

describe('configure', () => {
  it('listens on loopback, plain and open, unless told otherwise', () => {
    expect(configure({})).toMatchObject({ host: '127.0.0.1', port: 6385, tls: false, auth: { strategy: 'noauth' } })
  })

  it('lets later sources win', () => {
    expect(configure({ port: 1, 'data-dir': 'a' }, { port: '2' })).toMatchObject({ port: 2, dataDir: 'a' })
  })

  it('serves TLS on any other address, unless plain HTTP is asked for by name', () => {
    const users = { host: '192.0.2.1', auth: 'http_basic', htpasswd: 'users' }
    expect(configure(users).tls).toBe(true)
    expect(configure({ ...users, 'insecure-http': 'true' }).tls).toBe(false)
  })

  it('speaks TLS on loopback too when its public URL says so, unless a proxy does', () => {
    const published = { 'public-url': 'https://127.0.0.1:6385' }
    expect(configure(published).tls).toBe(true)
    expect(configure({ ...published, 'insecure-http': 'true' }).tls).toBe(false)
  })

  it.each([
    [{ host: '192.0.2.1' }, /--auth keystone, .*--insecure-noauth/],
    [{ host: '0.0.0.0', 'insecure-noauth': 'true' }, /--public-url/],
    [{ auth: 'http_basic' }, /--htpasswd/],
    [{ auth: 'keystone', 'token-seconds': '5' }, /token-seconds/],
    [{ auth: 'none' }, /auth/],
    [{ port: '70000' }, /port/],
    [{ colour: 'red' }, /colour/],
    [{ 'public-url': 'ftp://192.0.2.1' }, /public-url/],
  ])('refuses %j and says what to change', (source, message) => {
    expect(() => configure(source)).toThrow(message)
  })

  it('has the conductor’s options as JSON, as an object, or as flags for the limits, which count most', () => {
    const options = { max_concurrent_deploy: 9, automated_clean: false }
    for (const conductor of [options, JSON.stringify(options)])
      expect(configure({ conductor }, { 'max-deploys': '3' }).conductor).toMatchObject({
        automated_clean: false,
        max_concurrent_deploy: 3,
        max_concurrent_clean: null,
      })
    expect(() => configure({ conductor: '{"colour": "red"}' })).toThrow(/colour/)
  })

  it('puts every name that sites use into the certificates', () => {
    const source = { host: '0.0.0.0', 'public-url': 'https://cloud.example/', 'insecure-noauth': 'true' }
    const { names, publicUrl, broker } = configure({ ...source, 'public-broker-host': '192.0.2.9' })
    expect(names).toEqual(['192.0.2.9', 'cloud.example', 'localhost', '127.0.0.1'])
    expect([publicUrl, broker.publicHost]).toEqual(['https://cloud.example', '192.0.2.9'])
  })
})

describe('fromEnvironment', () => {
  it('takes settings by their names in capitals, and nothing else', () => {
    const environment = { BLOOMERY_DATA_DIR: '/d', BLOOMERY_ENDPOINT: 'x', PORT: '1', BLOOMERY_BROKER_PORT: '0' }
    expect(fromEnvironment(environment)).toEqual({ 'data-dir': '/d', 'broker-port': '0' })
  })
})
