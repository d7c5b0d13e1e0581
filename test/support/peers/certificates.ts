import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * In a folder: a CA (ca.pem), what it signed for the server `localhost` and `127.0.0.2` (server.pem, server.key) and for a client (client.pem, client.key),
 * and a CA that signed nothing (other-ca.pem).
 */
export function makeCertificates(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const path = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  for (const ca of ['ca', 'other-ca']) {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${ca}`,
      '-keyout',
      path(`${ca}.key`),
      '-out',
      path(`${ca}.pem`),
    )
  }
  writeFileSync(path('san.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.2\n')
  for (const name of ['server', 'client']) {
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.csr`),
    )
    const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('san.cnf')]
    openssl('x509', '-req', '-days', '2', '-in', path(`${name}.csr`), ...signing, '-out', path(`${name}.pem`))
  }
}
