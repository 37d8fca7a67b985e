import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { renderConfigDrive } from '../../contract/config-drive.ts'
import { startImage } from '../images/guest.ts'
import { buildTestImage } from '../images/small-image.ts'

const userData = '#cloud-config\nfqdn: "one"\n'
const configDrive = renderConfigDrive({
  // A decoy at a deeper level and an escaped quote: the guest must read the first level only.
  meta_data: {
    keys: [{ uuid: 'wrong', hostname: 'wrong' }],
    note: 'a "quoted" word',
    uuid: 'b100e410-0001',
    hostname: 'one',
  },
  user_data: userData,
})

test.each(['bios', 'uefi'] as const)(
  'under %s firmware the image starts from its disk, tells its config drive and obeys the power button',
  async (firmware) => {
    const { path } = await buildTestImage()
    await using guest = await startImage(path, firmware, configDrive)
    await guest.says(/^BLOOMERY-INSTANCE hostname=one uuid=b100e410-0001\r?$/m, 120_000)
    const digest = createHash('sha256').update(userData).digest('hex')
    expect(await guest.says(/^BLOOMERY-USERDATA .*$/m, 10_000)).toContain(`BLOOMERY-USERDATA ${digest} #cloud-config`)
    await guest.says(/^BLOOMERY-READY\r?$/m, 10_000)
    await guest.says(/^BLOOMERY-NETWORK eth0 10\.0\.2\.15\/24\r?$/m, 30_000)
    guest.pressPowerButton()
    await guest.off(30_000)
  },
)
