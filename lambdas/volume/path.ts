/** The service's own; the project may stand behind it, as Cinder's endpoints had it for long. */
export const PATH = '/volume/v3'

export const withoutProject = (path: string): string => path.replace(/^(\/volume\/v3)\/[0-9a-f]{32}(?=\/|$)/, '$1')
