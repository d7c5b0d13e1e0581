import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that take longest start first, so that none of them is left for the end. */
const LONGEST_FIRST = [
  'peers/whole-cinder',
  'peers/promotion',
  'peers/interrupted',
  'contract/cli/commands',
  'peers/managers/pacemaker',
  'peers/managers/containers',
  'peers/examples',
  'contract/cli/terminal',
  'peers/ansible/module',
  'contract/scenarios',
  'contract/service/managers',
  'contract/bad-input',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST_FIRST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
      return index === -1 ? LONGEST_FIRST.length : index
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

/** One of the kinds of tests: CONTRIBUTING.md says what belongs where. */
const project = (name: string, options: { globalSetup?: string; setupFiles?: string } = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
})

const globalSetup = 'test/support/peers/setup.ts'

export default defineConfig({
  define: { VERSION: JSON.stringify('test') },
  test: {
    projects: [
      project('unit'),
      project('contract', { globalSetup }),
      project('peers', { globalSetup, setupFiles: 'test/support/peers/each-file.ts' }),
    ],
    setupFiles: ['test/support/each-file.ts'],
    maxWorkers: 2 * availableParallelism(), // the tests mostly wait for other processes
    sequence: { sequencer: LongestFirst },
    testTimeout: 180_000, // on a machine that does other things too
    hookTimeout: 180_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
  },
})
