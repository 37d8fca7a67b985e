/** Of Nova's API v2.1. */
export const PATH = '/compute/v2.1'
