import { loaderNames, type Loader } from './loaders.ts'

/** Where the HTTP server serves what: the routes of `http.ts`, as machines are told them. */
export interface BootUrls {
  loader(loader: Loader): string
  localScript(): string
  script(token: string): string
}

/** `loaders` where those are served elsewhere: by HTTPS. */
export function bootUrls(base: string, loaders = base): BootUrls {
  return {
    loader: (loader) => `${loaders}/loader/${loaderNames[loader]}`,
    localScript: () => `${base}/local.ipxe`,
    script: (token) => `${base}/boot/${encodeURIComponent(token)}/script.ipxe`,
  }
}
