import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Writes the whole agent (or another program in its place) as one ES module, which needs Node 24 and nothing else. */
export async function buildAgent(
  outfile: string,
  entry = fileURLToPath(new URL('main.ts', import.meta.url)),
): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
    // Dependencies in CommonJS call require for Node's own modules; an ES module has none unless it makes one.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
  })
}
