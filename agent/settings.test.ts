import { describe, expect, it } from 'vitest'
import { kernelArguments, readSettings } from './settings.ts'

describe('the kernel command line', () => {
  it('is read as words, with quotes, and the last of a name wins', () => {
    expect(kernelArguments('quiet a=1 b="x y" a=2 c=d=e\n')).toEqual({ quiet: '', a: '2', b: 'x y', c: 'd=e' })
  })

  it('tells where the API is, with or without a version in the path', () => {
    const { apiUrls } = readSettings('ipa-api-url=http://192.0.2.1:6385/v1/,https://192.0.2.2/ ')
    expect(apiUrls).toEqual(['http://192.0.2.1:6385', 'https://192.0.2.2'])
  })

  it('tells which interface was booted from', () => {
    expect(readSettings('BOOTIF=01-52-54-00-AA-00-01').bootMac).toBe('52:54:00:aa:00:01')
    expect(readSettings('BOOTIF=52:54:00:aa:00:01').bootMac).toBe('52:54:00:aa:00:01')
    expect(readSettings('BOOTIF=eth0').bootMac).toBeUndefined()
  })

  it('has the defaults of ironic-python-agent', () => {
    expect(readSettings('quiet')).toMatchObject({
      apiUrls: [],
      listenHost: '::',
      listenPort: 9999,
      lookupSeconds: 600,
      requestSeconds: 30,
      insecure: false,
      debug: false,
    })
    expect(readSettings('ipa-insecure=1 ipa-debug').insecure).toBe(true)
    expect(readSettings('ipa-debug').debug).toBe(true)
  })

  it.each([
    ['ipa-api-url=ftp://192.0.2.1', 'ipa-api-url'],
    ['ipa-listen-port=70000', 'ipa-listen-port'],
    ['ipa-lookup-timeout=soon', 'ipa-lookup-timeout'],
    ['ipa-agent-token=short', 'ipa-agent-token'],
  ])('is refused for %s, by name', (line, name) => {
    expect(() => readSettings(line)).toThrow(name)
  })
})

it('listens for LLDP only where it is asked to, and for how long', () => {
  expect(readSettings('ipa-lldp-timeout=5').lldpSeconds).toBeUndefined()
  expect(readSettings('ipa-collect-lldp=1').lldpSeconds).toBe(30)
  expect(readSettings('ipa-collect-lldp=true ipa-lldp-timeout=5').lldpSeconds).toBe(5)
})
