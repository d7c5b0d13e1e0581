import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWholeCinder, type WholeCinder } from '../support/peers/whole-cinder.js'

let cinder: WholeCinder
beforeAll(async () => {
  const t = Date.now()
  cinder = await startWholeCinder()
  console.log('up', Date.now() - t)
})
afterAll(async () => {const t = Date.now(); await cinder?.stop(); console.log('stopped', Date.now() - t)})
test('x', async () => {
  console.log(await cinder.call('GET', '/os-services'), await cinder.row())
  console.log(JSON.stringify(await cinder.call('GET', '/scheduler-stats/get_pools?detail=true')))
})
