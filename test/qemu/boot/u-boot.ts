import { truncate, writeFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/** Of qemu_arm64_defconfig: CONFIG_ENV_SIZE, at the start of QEMU's second flash, which is of this size. */
const ENVIRONMENT = 0x40000
const FLASH = 64 * 1_048_576

/** U-Boot's saved environment, whose boot command first takes the default one and then does what is asked: CRC-32, then NAME=VALUE, NUL-ended. */
export async function writeEnvironment(path: string, command: string): Promise<void> {
  const bytes = Buffer.alloc(ENVIRONMENT)
  bytes.write(`bootdelay=0\0bootcmd=env default -f -a; ${command}\0`, 4, 'latin1')
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0)
  await writeFile(path, bytes)
  await truncate(path, FLASH)
}
