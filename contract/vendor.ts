/** Methods of vendor interfaces, as the API lists them. */
export interface VendorMethod {
  async: boolean
  attach: boolean
  description: string
  http_methods: readonly string[]
  require_exclusive_lock: boolean
}

const method = (description: string, more: Partial<VendorMethod> = {}): VendorMethod => ({
  async: true,
  attach: false,
  description,
  http_methods: ['POST'],
  require_exclusive_lock: true,
  ...more,
})

/** Those of the fake one each compare the argument `bar` with a word. */
export const vendorMethods: Readonly<Record<string, Readonly<Record<string, VendorMethod & { word: string }>>>> = {
  fake: {
    second_method: { ...method('Test if the value of bar is kazoo'), word: 'kazoo' },
    third_method_sync: { ...method('Test if the value of bar is meow', { async: false }), word: 'meow' },
    fourth_method_shared_lock: {
      ...method('Test if the value of bar is woof', { require_exclusive_lock: false }),
      word: 'woof',
    },
  },
}
