/** Of Glance's Image API v2. */
export const PATH = '/image/v2'
