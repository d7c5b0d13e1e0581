import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeMysqlOptions } from '../../../src/store/options.js'
import { parseUrl } from '../../../src/store/url.js'

function optionsOf(url: string) {
  const warnings: string[] = []
  return { ...makeMysqlOptions(parseUrl(url), (warning) => warnings.push(warning)), warnings }
}

describe('the options of a MySQL URL', () => {
  test('default to PyMySQL’s server and port', () => {
    expect(optionsOf('mysql://u@/d')).toEqual({
      user: 'u',
      password: '',
      database: 'd',
      host: 'localhost',
      port: 3306,
      warnings: [],
    })
  })

  test('ignore parameters that mean nothing here, and warn of those that nobody knows', () => {
    const { warnings, ...options } = optionsOf('mysql://u:p@h/d?charset=utf8&connect_timeout=5&ssl_ca&colour=blue')
    expect(options).not.toHaveProperty('ssl')
    expect(warnings).toEqual(["The connection's parameter colour is ignored."])
  })

  test('are filled in from read_default_file, which never goes before the URL', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'options-')), 'my.cnf')
    writeFileSync(
      file,
      '[client]\nuser = wrong\n# [tripleo]\n[tripleo]\nssl = 1\nuser=filed\npassword = "fi#ed"\nhost: db.filed\nport = 3307\nsocket=/filed.sock\nbind-address = 10.0.0.9\n[other]\nuser = wrong\n',
    )
    const group = `read_default_file=${file}&read_default_group=tripleo`
    expect(optionsOf(`mysql:///d?${group}`)).toMatchObject({
      user: 'filed',
      password: 'fi#ed',
      host: 'db.filed',
      port: 3307,
      socketPath: '/filed.sock',
    })
    const given = optionsOf(`mysql://u:p@h:1/d?${group}`)
    expect(given).toEqual({ user: 'u', password: 'p', host: 'h', port: 1, database: 'd', warnings: [] })
  })

  test('do without a read_default_file that is not there, as PyMySQL does, but say so', () => {
    expect(optionsOf('mysql://u:p@h/d?read_default_file=/nowhere.cnf').warnings).toEqual([
      expect.stringMatching(/\/nowhere\.cnf cannot be read \(ENOENT\)/),
    ])
  })

  test.each([
    ['', undefined],
    ['ssl_verify_cert=false', undefined],
    ['ssl_ca=CA', { rejectUnauthorized: true, verifyIdentity: true }],
    ['ssl_ca=CA&ssl_check_hostname=false', { rejectUnauthorized: true, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_verify_cert=true', { rejectUnauthorized: true, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_verify_cert=true&ssl_verify_identity=true', { rejectUnauthorized: true, verifyIdentity: true }],
    ['ssl_ca=CA&ssl_verify_cert=false', { rejectUnauthorized: false, verifyIdentity: false }],
    ['ssl_cert=CA&ssl_key=CA', { rejectUnauthorized: false, verifyIdentity: false }],
    ['ssl_ca=CA&ssl_disabled=true', undefined],
  ])('ask for TLS, and check the server, as %j says', (parameters, expected) => {
    const { ssl } = optionsOf(`mysql://u:p@h/d?${parameters.replaceAll('CA', '/dev/null')}`)
    expect(ssl && { rejectUnauthorized: ssl.rejectUnauthorized, verifyIdentity: ssl.verifyIdentity }).toEqual(expected)
  })
})
