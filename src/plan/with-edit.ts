import type { ConfigFacts, OldCopy } from '../model/observation.js'
import type { ConfigEdit } from '../model/plan.js'
import { getOldCopyPath } from '../oslo/old-copies.js'
import { makeEditedFile } from '../oslo/section.js'

/** The files as the edit leaves them, with the copy that it keeps. */
export function withEdit(config: ConfigFacts, edit: ConfigEdit | undefined): ConfigFacts {
  if (edit === undefined) return config
  const files = config.files.map((file) => (file.path === edit.file ? makeEditedFile(file, edit.after) : file))
  return edit.keepsOldCopy ? { ...config, files, oldCopies: withOldCopy(config, edit) } : { ...config, files }
}

function withOldCopy({ files, oldCopies }: ConfigFacts, { file, section }: ConfigEdit): readonly OldCopy[] {
  const others = oldCopies.filter((copy) => copy.original !== file || copy.section !== section)
  const old = files.find(({ path }) => path === file)
  if (old === undefined) return others
  return [...others, { section, original: file, file: { ...old, path: getOldCopyPath(file, section) } }]
}
