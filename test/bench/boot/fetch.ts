import { fetchFile } from '@bloomery/tftp/client.ts'

/** One TFTP client that waits a quarter of a second for what is lost. usage: HOST PORT WINDOWSIZE BLKSIZE */
const [host = '', port = '', windowsize = '', blksize = ''] = process.argv.slice(2)
const started = performance.now()
const bytes = await fetchFile({
  host,
  port: Number(port),
  file: 'file',
  windowsize: Number(windowsize),
  blksize: Number(blksize),
  timeoutMs: 250,
})
console.log(JSON.stringify({ bytes: bytes.length, milliseconds: performance.now() - started }))
process.exit(0)
