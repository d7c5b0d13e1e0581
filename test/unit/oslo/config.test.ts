import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../src/oslo/config.js'

describe('a parse error', () => {
  test.each([
    ['[DEFAULT]\nfoo = 1\n[database] # no\n', 3],
    ['foo = 1\n', 1],
    ['[DEFAULT]\r\n\r\n  astray\r\n', 3],
    ['[DEFAULT]\nfoo\n', 2],
    ['[DEFAULT]\n= secret\n', 2],
  ])('names file and line, and shows nothing of the line: %j', (text, number) => {
    const read = () => readConfig([{ path: '/etc/cinder/cinder.conf', text }], {})
    expect(read).toThrow(`/etc/cinder/cinder.conf, line ${number}: `)
    expect(read).not.toThrow('secret')
  })
})
