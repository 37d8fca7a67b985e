import { beforeEach } from 'vitest'
import type { Lab } from '../lab/lab.ts'
import { serialTail } from '../rack/qemu/serial.ts'

/** Where a test of this file fails, what the lab's programs and machines said last is printed: the lab itself is gone soon after. */
export function tellFailures(lab: () => Lab | undefined): void {
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async ({ task }) => {
      const { cloud, appliance, rack } = lab() ?? {}
      const serials = rack?.servers.map(async ({ name, serialLog }) => `${name}:\n${await serialTail(serialLog)}`) ?? []
      const programs = [cloud, appliance].flatMap((each) => (each ? [`${each.name}:\n${each.tail()}`] : []))
      console.error([`When this failed: ${task.name}`, ...programs, ...(await Promise.all(serials))].join('\n\n'))
    })
  })
}
