import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * A way to the server on `target` that passes everything on, but loses the answer to the first COMMIT: `swallow` leaves the agent waiting,
 * `cut` hangs up, `cut-for-good` hangs up and takes no connection from then on. Later connections are passed on untouched.
 */
export async function losingCommits(target: number, how: 'swallow' | 'cut' | 'cut-for-good') {
  const sockets = new Set<Socket>()
  let lost = false
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let losing = false
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
    client.on('data', (data) => {
      if (!lost && data.includes('COMMIT')) {
        lost = true
        losing = true
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      if (!losing) client.write(data)
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
