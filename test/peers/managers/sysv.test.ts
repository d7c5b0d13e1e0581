import { beforeAll, describe, expect, test } from 'vitest'
import { titled } from '../../support/databases.js'
import { readConfigPaths, testManager, whyMissing } from '../../support/managers/ask.js'
import type { Place } from '../../support/managers/namespace.js'
import { startSysv } from '../../support/managers/sysv.js'

const reason = whyMissing('sysv')

describe(titled({ name: 'sysv', missing: reason }), { skip: reason !== null }, () => {
  let place: Place
  beforeAll(async () => {
    place = await startSysv()
    return place.end
  })

  testManager(
    'sysv',
    () => place,
    'cinder-volume',
    () => place.succeeds('pidof', '-x', 'cinder-volume'),
  )

  test("Debian's script tells the files that cinder-volume is started with", async () => {
    const expected = { files: ['/etc/cinder/cinder.conf'], folders: undefined }
    expect(await readConfigPaths(place, 'sysv', 'cinder-volume')).toEqual(expected)
    expect(await readConfigPaths(place, 'sysv', 'no-such-thing')).toBeUndefined()
  })
})
