import { describe, expect, test } from 'vitest'
import { parseUrl, redactUrl } from '../../../src/store/url.js'

describe('a URL', () => {
  test.each([
    'postgresql://u:s3cret@h/d',
    'postgresql+psycopg2://u:s3cret@h/d',
    'oracle://s3cret@h',
    's3cret',
    '',
    'http//u:s3cret',
  ])('that is not supported (%s) is refused with what is, and without its password', (text) => {
    const details = expect.objectContaining({ hint: expect.stringMatching(/^Use mysql\+pymysql:.+sqlite:/) })
    expect(() => parseUrl(text)).toThrow(expect.objectContaining({ code: 'invalid_request', details }))
    expect(() => parseUrl(text)).not.toThrow(/s3cret/)
  })

  test('has the parameters of connection_parameters appended', () => {
    const { parameters } = parseUrl('mysql://u:p@h/d?charset=utf8', 'ssl_ca=/ca.pem&ssl_key')
    expect([...parameters]).toEqual([
      ['charset', 'utf8'],
      ['ssl_ca', '/ca.pem'],
    ])
  })

  test('is shown to people without password and parameters', () => {
    expect(redactUrl(parseUrl('mysql+pymysql://u:s3cret@[fd00::1]/d?ssl_key=s3cret'))).toBe(
      'mysql://u:***@fd00::1:3306/d',
    )
  })
})
