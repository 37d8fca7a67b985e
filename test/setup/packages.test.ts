import { expect, test } from 'vitest'
import { installedPackages, requiredByRooms } from './packages.ts'

test('set-up installs every package that a room says it needs', async () => {
  const installed = new Set(await installedPackages())
  const rooms = await requiredByRooms()
  expect(rooms.map(({ room }) => room)).toContain('test/rack/qemu/packages.ts')
  for (const { room, packages } of rooms) {
    const missing = packages.filter((name) => !installed.has(name))
    expect(missing, `packages of ${room} that test/setup/packages.txt lacks`).toEqual([])
  }
})

test('the list is sorted and names nothing twice', async () => {
  const installed = await installedPackages()
  expect(installed).toEqual([...new Set(installed)].sort())
})
