import { describe, expect, it } from 'vitest'
import { commandRequest, commandResult, heartbeat, imageInfo, lookupQuery, lookupReply, offeredStep } from './agent.ts'

describe('lookup', () => {
  it('reads a comma list of addresses in either notation', () => {
    expect(lookupQuery.parse({ addresses: '52:54:00:AA:00:01, 52-54-00-aa-00-02' }).addresses).toEqual([
      '52:54:00:aa:00:01',
      '52:54:00:aa:00:02',
    ])
  })

  it('leaves out what is no Ethernet address: InfiniBand cards have others, and are named beside them', () => {
    const infiniband = Array(20).fill('80').join(':')
    const addresses = `${infiniband},52:54:00:aa:00,x,,52:54:00:aa:00:01`
    expect(lookupQuery.parse({ addresses }).addresses).toEqual(['52:54:00:aa:00:01'])
  })

  it('refuses more addresses than any server has', () => {
    const addresses = Array(101).fill('52:54:00:aa:00:01').join(',')
    expect(lookupQuery.safeParse({ addresses }).success).toBe(false)
  })

  it('takes a reply without a heartbeat timeout as five minutes, and keeps keys that it does not know', () => {
    const reply = lookupReply.parse({
      node: { uuid: '1be26c0b-03f2-4d2e-ae87-c02d7f33c123', links: [] },
      config: { agent_token: 't'.repeat(43), metrics: {} },
    })
    expect(reply.config.heartbeat_timeout).toBe(300)
    expect(reply.config).toHaveProperty('metrics')
  })
})

describe('heartbeat', () => {
  it.each(['https://192.0.2.5:9999', 'http://[2001:db8::1]:9999', ''])('takes the callback %j', (callback_url) => {
    expect(heartbeat.safeParse({ callback_url }).success).toBe(true)
  })

  it.each(['ftp://192.0.2.5', 'file:///etc/passwd', 'nonsense'])('refuses the callback %j', (callback_url) => {
    expect(heartbeat.safeParse({ callback_url }).success).toBe(false)
  })
})

describe('commands', () => {
  it('are named by extension and command, with no parameters unless given', () => {
    expect(commandRequest.parse({ name: 'standby.sync' })).toEqual({ name: 'standby.sync', params: {} })
    for (const name of ['sync', 'standby.', '.sync', 'a.b.c', 'standby.__init__'])
      expect(commandRequest.safeParse({ name }).success, name).toBe(false)
  })

  it('may carry progress, which is bounded', () => {
    const running = { id: '1', command_name: 'x', command_status: 'RUNNING', command_error: null, command_result: null }
    const at = (percent: number) => ({ ...running, command_progress: { percent, mb_per_second: 1, bytes: 1 } })
    expect(commandResult.safeParse(running).success).toBe(true)
    expect(commandResult.safeParse(at(50)).success).toBe(true)
    expect(commandResult.safeParse(at(101)).success).toBe(false)
  })

  it('refuse an image that is not fetched by http', () => {
    expect(imageInfo.safeParse({ id: 'x', urls: ['file:///dev/sda'] }).success).toBe(false)
    expect(imageInfo.safeParse({ id: 'x', urls: [] }).success).toBe(false)
    expect(imageInfo.safeParse({ id: 'x', urls: ['http://192.0.2.1/x.raw'], checksum: null }).success).toBe(true)
  })

  it('offer steps that neither reboot nor abort unless they say so', () => {
    expect(offeredStep.parse({ step: 'write_image', interface: 'deploy', priority: 0 })).toMatchObject({
      reboot_requested: false,
      abortable: false,
    })
  })
})
