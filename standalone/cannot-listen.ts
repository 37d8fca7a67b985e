const remedies: Record<string, (name: string) => string> = {
  EADDRINUSE: (name) => `another program does: stop it, or choose another --${name}port`,
  EADDRNOTAVAIL: (name) => `no card of this machine has that address: correct --${name}host`,
  ENOTFOUND: (name) => `that name is unknown: correct --${name}host`,
  EACCES: (name) => `this user may not: choose a --${name}port above 1023`,
}

/** Which of the servers could not listen, and which setting is to be changed. */
export function cannotListen(
  server: 'API' | 'MQTT broker',
  { host, port }: { host: string; port: number },
  cause: unknown,
): Error {
  const remedy = remedies[(cause as NodeJS.ErrnoException).code ?? '']
  const why = remedy ? `: ${remedy(server === 'API' ? '' : 'broker-')}` : ''
  return new Error(`the ${server} can't listen on ${host}:${port}${why}`, { cause })
}
