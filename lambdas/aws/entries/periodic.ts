import { tick } from '../../periodic/tick.ts'
import { importerOf } from '../importer.ts'
import { awsPlatform } from '../platform.ts'

const platform = awsPlatform()
const importer = importerOf(process.env)

export async function handler(): Promise<void> {
  await tick(platform, importer)
}
