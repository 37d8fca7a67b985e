/** Where ours is meant to differ, with the reason: a difference that a line here fits is counted and not printed. */

export interface Exception {
  /** Fits the request, as `1.82 GET /v1/nodes`; undefined: any. */
  request?: RegExp
  difference: RegExp
  why: string
}

export const exceptions: readonly Exception[] = []
