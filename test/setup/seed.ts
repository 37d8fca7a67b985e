import fc from 'fast-check'

/** What is tried at random is the same in each run of `npm test`, so that what it says is about the change at hand.
 * `PROPERTY_SEED=N` tries others; a property that fails prints the seed and path that show it again. */
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 20_261_123) })
