import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'

/** Writes the whole agent (or another program in its place) as one ES module, which needs Node 24 and nothing else. */
export async function buildAgent(
  outfile: string,
  entry = fileURLToPath(new URL('main.ts', import.meta.url)),
): Promise<void> {
  await build({
    ...common,
    entryPoints: [entry],
    outfile,
    define: {
      PLACE_THREAD: JSON.stringify(await threadProgram('image/chunks/place-thread.ts')),
      BURN_THREAD: JSON.stringify(await threadProgram('burn-in/thread.ts')),
    },
    // Dependencies in CommonJS call require for Node's own modules; an ES module has none unless it makes one.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
  })
}

/** A thread starts from a program of its own, which goes into the one file as text. */
async function threadProgram(path: string): Promise<string> {
  const thread = fileURLToPath(new URL(path, import.meta.url))
  const { outputFiles } = await build({ ...common, entryPoints: [thread], write: false })
  return outputFiles[0]!.text
}

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  legalComments: 'none',
  logLevel: 'silent',
} satisfies BuildOptions
