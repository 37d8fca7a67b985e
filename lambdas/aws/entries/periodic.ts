import { tick } from '../../periodic/tick.ts'
import { awsPlatform } from '../platform.ts'

const platform = awsPlatform()

export async function handler(): Promise<void> {
  await tick(platform)
}
