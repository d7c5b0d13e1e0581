import { describe, expect, inject, test } from 'vitest'
import { DRIVERS } from '../../../src/drivers/drivers.js'
import { agent } from '../../support/agent.js'
import { confFile } from '../../support/conf.js'
import { embedded } from '../../support/databases.js'
import { judge } from '../../support/judge.js'
import { FAILED_OVER, service } from '../../support/rows.js'

interface Answer {
  readonly values: Readonly<Record<string, unknown>>
  readonly devices: unknown
  readonly unregistered: readonly string[]
  readonly unnamed: readonly string[]
}

/** A class of each driver in the table. */
const CLASSES: Readonly<Record<string, string>> = {
  'Ceph RBD': 'rbd.RBDDriver',
  'Pure Storage': 'pure.PureISCSIDriver',
  'Dell Unity': 'dell_emc.unity.driver.UnityDriver',
  'Dell PowerStore': 'dell_emc.powerstore.driver.PowerStoreDriver',
  'Dell PowerFlex': 'dell_emc.powerflex.driver.PowerFlexDriver',
  'Dell SC': 'dell_emc.sc.storagecenter_iscsi.SCISCSIDriver',
  'IBM Storwize': 'ibm.storwize_svc.storwize_svc_iscsi.StorwizeSVCISCSIDriver',
  'HPE 3PAR': 'hpe.hpe_3par_iscsi.HPE3PARISCSIDriver',
}

const { missing } = inject('peers')
const title = missing.cinder === null ? "Cinder's own drivers" : `Cinder's own drivers (skipped: ${missing.cinder})`

describe.skipIf(missing.cinder !== null)(title, () => {
  test('know every option and every key of the table, and read a promoted section as the new primary', async () => {
    const database = await embedded.create()
    const cases = DRIVERS.map(({ name, keys, pairOnly }) => {
      const entry = Object.keys(keys).map((key, index) => `${key}:${/verify|chap/.test(key) ? 'True' : 1000 + index}`)
      const file = confFile(
        `[DEFAULT]\nmy_ip = 127.0.0.1\n[arrayA]\nvolume_driver = cinder.volume.drivers.${CLASSES[name]}\nreplication_device = backend_id:arrayB,${entry.join(',')}\n`,
      )
      const options = Object.values(keys).map(({ option }) => option)
      return {
        driver: `cinder.volume.drivers.${CLASSES[name]}`,
        file,
        section: 'arrayA',
        options,
        keys: [...Object.keys(keys), ...pairOnly],
        // The first key; Dell SC names its replicas by it.
        promote: 'target_device_id' in keys ? '1000' : 'arrayB',
      }
    })
    for (const { file, promote } of cases) {
      const row = service(1, 'vol1@arrayA', { ...FAILED_OVER, active_backend_id: promote })
      await database.execute(`DELETE FROM services; ${row}`)
      const config = { file, promote, replication_device: [{ backend_id: 'arrayC', san_ip: '10.0.0.3' }] }
      const { result } = await agent({ host: 'vol1@arrayA', connection: database.connection, config })
      expect(result).toMatchObject({ changed: true, failed: false })
    }
    const answers = judge<Answer>('drivers', cases)
    for (const [index, { driver, options }] of cases.entries()) {
      const answer = answers[index]
      expect({ driver, unregistered: answer?.unregistered, unnamed: answer?.unnamed }).toEqual({
        driver,
        unregistered: [],
        unnamed: [],
      })
      for (const [place, option] of options.entries()) {
        expect([true, String(1000 + place), `${[1000 + place]}`], `${driver} ${option}`).toContainEqual(
          typeof answer?.values[option] === 'boolean' ? answer.values[option] : String(answer?.values[option]),
        )
      }
      expect(answer?.devices).toEqual([{ backend_id: 'arrayC', san_ip: '10.0.0.3' }])
    }
    await database.close()
  })
})
