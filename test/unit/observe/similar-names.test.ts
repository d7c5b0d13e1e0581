import { describe, expect, test } from 'vitest'
import { AgentError } from '../../../src/model/errors.js'
import { addSimilarNames } from '../../../src/observe/similar-names.js'

const NOT_FOUND = new AgentError('service_not_found', 'No volume service has the host "vol1".', { host: 'vol1' })

const list = (names: { readonly services?: readonly string[]; readonly clusters?: readonly string[] }) => {
  return async (table: 'services' | 'clusters') => names[table] ?? []
}

describe('an error about a name that was not found', () => {
  test('offers names that are like it', async () => {
    const error = await addSimilarNames(NOT_FOUND, list({ services: ['vol1@arrayA', 'other@x'] }))
    expect(error).toMatchObject({
      code: 'service_not_found',
      details: { hint: expect.stringContaining('vol1@arrayA') },
    })
  })

  test('stays as it is if the names cannot be read', async () => {
    const fail = async () => {
      throw new AgentError('timeout', 'The server gave no answer.')
    }
    expect(await addSimilarNames(NOT_FOUND, fail)).toBe(NOT_FOUND)
  })

  test('tells that the name is a cluster', async () => {
    const error = await addSimilarNames(NOT_FOUND, list({ clusters: ['vol1'] }))
    expect(error).toMatchObject({ details: { hint: expect.stringContaining('cluster') } })
  })

  test('is left alone if it is another error', async () => {
    const other = new AgentError('busy', 'Locked.')
    expect(await addSimilarNames(other, list({}))).toBe(other)
    expect(await addSimilarNames(undefined, list({}))).toBeUndefined()
  })
})
