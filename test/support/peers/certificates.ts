import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * In a folder: a CA (ca.pem), what it signed for the server `localhost` and `127.0.0.2` (server.pem, server.key) and for a client (client.pem, client.key),
 * and a CA that signed nothing (other-ca.pem).
 */
export async function makeCertificates(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const path = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args)
  const makeKey = (name: string, kind: readonly string[], out: string) => {
    const key = ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', path(`${name}.key`)]
    return openssl('req', ...kind, ...key, '-out', path(out))
  }
  const sign = (name: string) => {
    const ca = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('san.cnf')]
    return openssl('x509', '-req', '-days', '2', '-in', path(`${name}.csr`), ...ca, '-out', path(`${name}.pem`))
  }
  writeFileSync(path('san.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.2\n')
  await Promise.all([
    ...['ca', 'other-ca'].map((name) => makeKey(name, ['-x509', '-days', '2'], `${name}.pem`)),
    ...['server', 'client'].map((name) => makeKey(name, [], `${name}.csr`)),
  ])
  for (const name of ['server', 'client']) await sign(name)
}
