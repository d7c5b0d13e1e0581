import { beforeEach, inject } from 'vitest'

const { missing } = inject('peers')

/** Tests of edges.test.ts whose programs write into the database by Python. */
const NEED_PYTHON = [
  'what others changed while it ran is not for undo to take back',
  'what was done is told also where the row is gone meanwhile',
]

beforeEach(({ task, skip }) => {
  if (missing.python !== null && NEED_PYTHON.includes(task.name)) skip(missing.python)
})
