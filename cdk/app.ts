import { synthesise } from './synthesise.ts'

synthesise()
