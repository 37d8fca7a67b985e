/** In no particular order, but not farther ahead than so many: each of many agents begins elsewhere, and soon has what the others lack. */
export async function* shuffled<T>(items: AsyncIterable<T>, window: number, random: () => number): AsyncGenerator<T> {
  const held: T[] = []
  const take = (): T => {
    const at = Math.floor(random() * held.length)
    const taken = held[at]!
    held[at] = held.at(-1)!
    held.pop()
    return taken
  }
  for await (const item of items) {
    held.push(item)
    if (held.length >= window) yield take()
  }
  while (held.length > 0) yield take()
}
