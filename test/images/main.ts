import { Argument, Command } from 'commander'
import { buildDemoImage } from './demo-image.ts'
import { buildTestImage } from './small-image.ts'

const builders = { test: buildTestImage, demo: buildDemoImage } as const

const program = new Command('images')
  .description('Builds an image to deploy from Debian packages, or finds the one built before.')
  .addArgument(new Argument('<image>', 'which image').choices(Object.keys(builders)))
  .action(async (name: keyof typeof builders) => {
    const { path, size, sha256, qcow2 } = await builders[name](console.log)
    console.log(`raw    ${path}: ${(size / 1e6).toFixed(0)} MB, sha256 ${sha256}\nqcow2  ${qcow2}`)
  })

await program.parseAsync().catch((error: unknown) => {
  console.error(`images: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
