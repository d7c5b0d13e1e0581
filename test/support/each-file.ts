import { SEED_GIVEN } from './seed.js'

/** `SEED=N` is for properties too; without it fast-check takes another seed each time, and tells it with a failure. */
if (SEED_GIVEN !== undefined) (await import('fast-check')).default.configureGlobal({ seed: SEED_GIVEN })
