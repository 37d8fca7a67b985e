import type { Quirk } from '../quirk.ts'

/** iRMC. No PATCH without If-Match (428), which is so for everybody that tells an ETag. */
export const fujitsu: Quirk = { name: 'fujitsu', vendor: /^(fujitsu|fsas|ts_fujitsu)/i }
