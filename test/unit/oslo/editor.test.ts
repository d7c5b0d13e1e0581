import { describe, expect, test } from 'vitest'
import { type Edit, edited } from '../../../src/oslo/editor.js'
import { written } from '../../../src/oslo/value.js'

describe('the edit', () => {
  const edit = (file: string | Buffer, options: Record<string, string | null>, devices?: Edit['devices']) =>
    edited(Buffer.from(file), 'x.conf', {
      section: 'arrayA',
      options: new Map(Object.entries(options)),
      devices,
    }).toString('latin1')

  test('keeps the bytes of other lines, whatever their encoding', () => {
    const file = Buffer.from('# caf\xe9, latin-1\n[arrayA]\n; \xa0\x85\nsan_ip = 1\n# end\xff', 'latin1')
    expect(edit(file, { san_ip: '2' })).toBe(file.toString('latin1').replace('san_ip = 1', 'san_ip = 2'))
  })

  test('keeps CRLF, and a file without a line break at its end', () => {
    expect(edit('[arrayA]\r\nsan_ip: 1\r\n', { san_ip: '2', san_login: 'x' })).toBe(
      '[arrayA]\r\nsan_ip: 2\r\nsan_login = x\r\n',
    )
    expect(edit('[arrayA]\nsan_ip=1', { san_login: 'x' })).toBe('[arrayA]\nsan_ip=1\nsan_login=x')
    expect(edit('[arrayA]', { san_login: 'x' })).toBe('[arrayA]\nsan_login = x')
  })

  test('takes an option out with its continuation lines, everywhere in the section', () => {
    expect(edit('[arrayA]\nx = 1\n  2\n# c\nx = 3\ny = 4\n[other]\nx = 5\n[arraya]\nx = 6\n', { x: null })).toBe(
      '[arrayA]\n# c\ny = 4\n[other]\nx = 5\n[arraya]\n',
    )
  })

  test('leaves the devices that stay as they are written', () => {
    const file =
      '[arrayA]\nreplication_device = backend_id: arrayB,\n    san_ip: 2\n# keep\nreplication_device=backend_id : arrayD , type:x\ny = 1\n'
    const [b, d, c] = [
      new Map([
        ['backend_id', 'arrayB'],
        ['san_ip', '2'],
      ]),
      new Map([
        ['backend_id', 'arrayD'],
        ['type', 'x'],
      ]),
      new Map([['backend_id', 'arrayC']]),
    ]
    expect(edit(file, {}, [b, d])).toBe(file)
    expect(edit(file, {}, [d])).toBe('[arrayA]\n# keep\nreplication_device=backend_id : arrayD , type:x\ny = 1\n')
    expect(edit(file, {}, [c, d])).toBe(
      '[arrayA]\nreplication_device = backend_id:arrayC\n# keep\nreplication_device=backend_id : arrayD , type:x\ny = 1\n',
    )
    expect(edit(file, {}, [b, d, c])).toBe(file.replace('type:x\n', 'type:x\nreplication_device=backend_id:arrayC\n'))
    expect(edit(file, {}, [])).toBe('[arrayA]\n# keep\ny = 1\n')
  })

  test.each(['a\nb', 'a\r', '\0', 'a\\$b'])('refuses what no line can say: %j', (value) => {
    expect(() => written('san_password', value)).toThrow(/^The value of san_password holds/)
  })
})
