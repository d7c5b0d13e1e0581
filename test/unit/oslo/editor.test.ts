import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyEdit, type Edit } from '../../../src/oslo/editor.js'
import { parseIni } from '../../../src/oslo/ini.js'
import { formatValue } from '../../../src/oslo/value.js'

/** The length of the longest common subsequence, by its definition. */
function countCommon(one: readonly string[], other: readonly string[]): number {
  const [first, ...rest] = one
  if (first === undefined) return 0
  const at = other.indexOf(first)
  const without = countCommon(rest, other)
  return at < 0 ? without : Math.max(without, 1 + countCommon(rest, other.slice(at + 1)))
}

describe('the edit', () => {
  const edit = (file: string | Buffer, options: Record<string, string | null>, devices?: Edit['devices']) =>
    applyEdit(Buffer.from(file), 'x.conf', {
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
    const [b, d, c] = ['backend_id: arrayB,\nsan_ip: 2', 'backend_id : arrayD , type:x', 'backend_id:arrayC'] as const
    expect(edit(file, {}, [b, d])).toBe(file)
    expect(edit(file, {}, [d])).toBe('[arrayA]\n# keep\nreplication_device=backend_id : arrayD , type:x\ny = 1\n')
    expect(edit(file, {}, [c, d])).toBe(
      '[arrayA]\nreplication_device = backend_id:arrayC\n# keep\nreplication_device=backend_id : arrayD , type:x\ny = 1\n',
    )
    expect(edit(file, {}, [b, d, c])).toBe(file.replace('type:x\n', 'type:x\nreplication_device=backend_id:arrayC\n'))
    expect(edit(file, {}, [])).toBe('[arrayA]\n# keep\ny = 1\n')
  })

  test('does not touch the entries that stay when the first one moves to the end', () => {
    const [a, b, x] = ['backend_id : a', 'backend_id : b', 'backend_id:x'] as const
    const entry = (id: string) => `# about ${id}\nreplication_device = backend_id : ${id}\n`
    expect(edit(`[arrayA]\n${entry('x')}${entry('a')}${entry('b')}`, {}, [a, b, x])).toBe(
      `[arrayA]\n# about x\n${entry('a')}${entry('b')}replication_device = backend_id:x\n`,
    )
  })

  test('writes an entry of several lines, or in quotes, so that it is read as before where it moves', () => {
    const [x, y] = ['backend_id:x,\nsan_ip:1\nodd', 'backend_id:y, '] as const
    const file =
      '[arrayA]\r\nreplication_device = backend_id:x,\r\n\tsan_ip:1\r\n\todd\r\nreplication_device = "backend_id:y, "\r\n'
    const moved = edit(file, {}, [y, x])
    const values = (text: string) => parseIni(text, 'x.conf').assignments.map(({ value }) => value)
    expect(values(file)).toEqual([x, y])
    expect(values(moved)).toEqual([y, x])
    expect(moved.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(values(edit(moved, {}, [x, y]))).toEqual([x, y])
  })

  test('keeps as many entries as can be kept', () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 6 })
    fc.assert(
      fc.property(ids, ids, (present, wanted) => {
        const file = `[arrayA]\n${present.map((id) => `replication_device = backend_id :\n ${id}\n`).join('')}`
        const after = edit(
          file,
          {},
          wanted.map((id) => `backend_id :\n${id}`),
        )
        const kept = after.split('\n').filter((text) => /^ \w/.test(text)).length
        expect(kept).toBe(countCommon(present, wanted))
      }),
    )
  })

  test.each(['a\nb', 'a\r', '\0', 'a\\$b'])('refuses what no line can say: %j', (value) => {
    expect(() => formatValue('san_password', value)).toThrow(/^The value of san_password holds/)
  })
})
