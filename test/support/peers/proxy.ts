import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Longer than the time-out of the tests, and shorter than the grace for a COMMIT on top of it. */
const LATE_MS = 2500

/**
 * A way to the server on `target` that passes everything on, but loses the first COMMIT or its answer: `swallow` leaves the agent waiting, `cut`
 * hangs up, `cut-for-good` hangs up and takes no connection from then on, `drop` hangs up on both sides before the server gets the COMMIT. Later
 * connections are passed on untouched, after `drop` once `meanwhile` is done. `late` loses nothing: the answer comes after LATE_MS, and
 * `meanwhile` is called when the COMMIT is on its way.
 */
export async function losingCommits(
  target: number,
  how: 'swallow' | 'cut' | 'cut-for-good' | 'drop' | 'late',
  meanwhile: () => Promise<void> = async () => {},
) {
  const sockets = new Set<Socket>()
  let lost = false
  let settled = Promise.resolve()
  const server = createServer(async (client) => {
    client.pause()
    await settled
    client.resume()
    const upstream = connect(target, '127.0.0.1')
    let losing = false
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.on('data', (data) => {
      if (!lost && data.includes('COMMIT')) {
        lost = true
        losing = true
        if (how === 'late') void meanwhile()
        if (how === 'drop') {
          client.destroy()
          upstream.destroy()
          settled = meanwhile()
          return
        }
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      if (!losing) client.write(data)
      else if (how === 'late') setTimeout(() => client.write(data), LATE_MS)
      else if (how !== 'swallow') {
        if (how === 'cut-for-good') server.close()
        client.destroy()
      }
    })
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // it listens on an address
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port, close }
}
