/** Without the slashes at its end. Looked for from there: a pattern would begin anew at each slash of a path that is made of them. */
export function bare(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}
