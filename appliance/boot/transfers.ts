/** Boot files that are on their way to machines. What can wait yields to them. */
export interface Transfers {
  readonly underWay: number
  during<T>(transfer: () => Promise<T>): Promise<T>
}

export function countTransfers(): Transfers {
  let underWay = 0
  return {
    get underWay() {
      return underWay
    },
    async during(transfer) {
      underWay += 1
      try {
        return await transfer()
      } finally {
        underWay -= 1
      }
    },
  }
}
