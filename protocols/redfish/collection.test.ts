import { expect, it } from 'vitest'
import { connect, type Redfish } from './client.ts'
import { members, memberPaths } from './collection.ts'
import { bmcWith, options, resources } from './testing/troubled-bmc.ts'
import { virtualClock } from './testing/virtual-clock.ts'

const BOOKS = '/redfish/v1/Books'
const link = (id: number | string) => ({ '@odata.id': `${BOOKS}/${id}` })

async function asked<T>(pages: Record<string, unknown>, read: (bmc: Redfish) => Promise<T>): Promise<T> {
  const clock = virtualClock()
  Object.assign(resources, pages)
  const { transport } = bmcWith('', [])
  return clock.run(connect({ ...options, transport, clock }).then(read))
}

it('all pages count, and members that are no links are none', async () => {
  const pages = {
    [BOOKS]: { Members: [link(1), null, 'x', { '@odata.id': 7 }], 'Members@odata.nextLink': `${BOOKS}?$skip=1` },
    [`${BOOKS}?$skip=1`]: { Members: [link(2)] },
  }
  expect(await asked(pages, (bmc) => memberPaths(bmc, BOOKS, 'list'))).toEqual([`${BOOKS}/1`, `${BOOKS}/2`])
})

it('pages that go in circles are told as that', async () => {
  const pages = {
    [BOOKS]: { Members: [], 'Members@odata.nextLink': `${BOOKS}?page=2` },
    [`${BOOKS}?page=2`]: { Members: [], 'Members@odata.nextLink': BOOKS },
  }
  await expect(asked(pages, (bmc) => memberPaths(bmc, BOOKS, 'list'))).rejects.toThrow(/pages go in circles/)
})

it('pages without end are not read on', async () => {
  const pages = Array.from({ length: 300 }, (_, at) => [
    at === 0 ? BOOKS : `${BOOKS}?page=${at}`,
    { Members: [], 'Members@odata.nextLink': `${BOOKS}?page=${at + 1}` },
  ])
  const endless = Object.fromEntries(pages) as Record<string, unknown>
  await expect(asked(endless, (bmc) => memberPaths(bmc, BOOKS, 'list'))).rejects.toThrow(/more than 200 pages/)
})

it('a member of which the collection tells no more than its type and version is read by itself', async () => {
  const pages = {
    [BOOKS]: {
      Members: [
        { ...link(1), '@odata.type': '#Book.v1_0_0.Book', '@odata.etag': '"1"' },
        { ...link(2), Name: 'whole' },
      ],
    },
    [`${BOOKS}/1`]: { Name: 'read' },
  }
  const found = await asked(pages, (bmc) => members(bmc, BOOKS, 'list'))
  expect(found.map(({ body }) => body['Name'])).toEqual(['read', 'whole'])
})

it('a link to another host is followed on the BMC itself: nothing is sent to a stranger', async () => {
  const elsewhere = {
    [BOOKS]: { Members: [{ '@odata.id': `https://evil.example${BOOKS}/1` }] },
    [`${BOOKS}/1`]: { Name: 'ours' },
  }
  const found = await asked(elsewhere, (bmc) => members(bmc, BOOKS, 'list'))
  expect(found.map(({ body }) => body['Name'])).toEqual(['ours'])
})
