import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { agent } from '../../support/agent.js'

let close = () => {}
afterEach(() => close())

/** A server that sends nothing, and closes each connection after so many milliseconds. */
async function stallingServer(ms: number): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    setTimeout(() => socket.destroy(), ms)
  }).listen(0, '127.0.0.1')
  close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // it listens on an address
  return `mysql://u:p@127.0.0.1:${port}/cinder`
}

describe('timeout covers connecting and all retries together', () => {
  test.each([
    ['closes each connection after 4 s', 4000],
    ['never answers', 60_000],
  ])('with a server that %s', async (_, ms) => {
    const connection = await stallingServer(ms)
    const start = performance.now()
    const { result } = await agent({ host: 'vol1@arrayA', active_backend: 'reset', timeout: 6, connection })
    expect(performance.now() - start).toBeLessThan(8000) // when the second connection closes
    expect(result).toMatchObject({ changed: false, failed: true, error: { code: 'timeout' } })
  })
})
