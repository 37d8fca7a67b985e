import { loaderNames, type Loader } from './loaders.ts'

/** Where the HTTP server serves what: the routes of `http.ts`, as machines are told them. */
export interface BootUrls {
  loader(loader: Loader): string
  localScript(): string
  boot(token: string): string
  script(token: string): string
}

export function bootUrls(base: string): BootUrls {
  const boot = (token: string): string => `${base}/boot/${encodeURIComponent(token)}`
  return {
    loader: (loader) => `${base}/loader/${loaderNames[loader]}`,
    localScript: () => `${base}/local.ipxe`,
    boot,
    script: (token) => `${boot(token)}/script.ipxe`,
  }
}
