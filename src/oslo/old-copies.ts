import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { OldCopy, SourceFile } from '../model/observation.js'
import { parseFile } from './ini.js'

/** Where the copy from before an edit is kept, for a file without links. One section's copy is not that of another. */
export function getOldCopyPath(real: string, section: string): string {
  return join(dirname(real), `.${basename(real)}.before-promotion-${encodeURIComponent(section)}`)
}

/** The copies that edits of the file have left as proof for a reset. A copy that cannot be read proves nothing, so it is left out. */
export function readOldCopies({ path }: SourceFile): readonly OldCopy[] {
  try {
    const prefix = getOldCopyPath(realpathSync(path), '')
    const names = readdirSync(dirname(prefix)).filter((name) => name.startsWith(basename(prefix)))
    return names.flatMap((name) => readOldCopy(path, join(dirname(prefix), name), name.slice(basename(prefix).length)))
  } catch {
    return []
  }
}

function readOldCopy(original: string, path: string, encoded: string): readonly OldCopy[] {
  try {
    const bytes = readFileSync(path)
    const file = { path, bytes, text: bytes.toString('utf8') }
    parseFile(file)
    return [{ section: decodeURIComponent(encoded), original, file }]
  } catch {
    return []
  }
}
