export const PATH = '/placement'
