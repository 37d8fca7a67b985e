import { Agent, install, setGlobalDispatcher } from 'undici'

/** Node 24's own `fetch` ends the whole program, past any `catch`, when a server closes its connection while what it sent waits to be read
 * (nodejs/undici#5360); its successor, mended, takes its place, and that of its connections, which it would find and use. Any server of
 * images or firmware can close so. */
export function installFetch(): void {
  setGlobalDispatcher(new Agent())
  install()
}
