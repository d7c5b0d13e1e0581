import { createHash, randomInt } from 'node:crypto'

/** `SEED=N` in the environment repeats the chance of an earlier run. */
export const SEED_GIVEN = process.env['SEED'] === undefined ? undefined : Number(process.env['SEED'])

const SEED = SEED_GIVEN ?? randomInt(2 ** 31)

/** A number from 0 up to 1, which the seed and the label alone decide: the order of the tests does not matter. */
export function chance(label: string): number {
  return createHash('sha256').update(`${SEED} ${label}`).digest().readUInt32BE() / 2 ** 32
}

/** Adds to a failure what chance had decided, and how to have the same again. */
export async function tellChance<T>(decided: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error) error.message += `\n${decided}. SEED=${SEED} repeats that.`
    throw error
  }
}
