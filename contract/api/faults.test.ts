import { describe, expect, it } from 'vitest'
import { faultBody, faultText, flatFaultBody, routeFaultBody } from './faults.ts'

describe('fault bodies', () => {
  it('hold JSON inside a JSON string', () => {
    const body = faultBody(404, 'Node x could not be found.')
    expect(JSON.parse(body.error_message)).toEqual({
      faultcode: 'Client',
      faultstring: 'Node x could not be found.',
      debuginfo: null,
    })
  })

  it('of what no route is for have the form of a web framework', () => {
    expect(JSON.parse(routeFaultBody(404, 'x').error_message)).toEqual({
      code: 404,
      title: 'Not Found',
      description: 'x',
    })
  })

  it('blame the server from 500 on', () => {
    expect(JSON.parse(faultBody(503, 'x').error_message)).toMatchObject({ faultcode: 'Server' })
  })

  it.each([
    ['the nested form', JSON.stringify(faultBody(400, 'why'))],
    ['the form of what no route is for', JSON.stringify(routeFaultBody(404, 'why'))],
    ['the flat form', JSON.stringify(flatFaultBody(413, 'why'))],
    ['an object that is not encoded twice', '{"error_message": {"faultstring": "why"}}'],
    ['plain text in error_message', '{"error_message": "why"}'],
    ['plain text', 'why'],
  ])('are read from %s', (_, body) => {
    expect(faultText(body)).toBe('why')
  })

  it('stay as they are when nothing in them is known', () => {
    expect(faultText('{"message": "Forbidden"}')).toBe('{"message": "Forbidden"}')
  })
})
