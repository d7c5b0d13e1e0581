import { getSectionName } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, SourceFile } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { type FileSelection, readConfigFilesWith } from '../oslo/files.js'
import { readOldCopies } from '../oslo/old-copies.js'
import type { ServiceManager } from '../service/manager.js'

/**
 * The files that cinder-volume reads: by its manager, which knows it; else by the request; else the default ones. The caller's own may have a
 * connection, but no section of this host's cinder-volume. Errors: interrupted.
 */
export async function selectFiles(
  { source, config, service }: Request,
  manager: Pick<ServiceManager, 'readConfigPaths'> | undefined,
): Promise<FileSelection> {
  const told = await manager?.readConfigPaths()
  if (told !== undefined) return { config_file: told.files, config_dir: told.folders, isTold: true }
  const { config_file, config_dir } = source
  return { config_file, config_dir, searchesHome: config === undefined && service === undefined }
}

/** Errors: config_error. */
export function readFiles(
  { config, targets }: Request,
  selection: FileSelection,
  env: NodeJS.ProcessEnv,
): readonly SourceFile[] {
  const [target] = targets === 'all' ? [] : targets
  const section = config?.section ?? (target && getSectionName(target.name))
  const named = config?.file === undefined ? undefined : { path: config.file, section }
  return readConfigFilesWith(named, { ...selection, searchesHome: false }, env)
}

/** The files that cinder-volume reads, and what keeps those from being replaced that the request may edit. Errors: config_error. */
export async function readConfigFacts(
  request: Request,
  selection: FileSelection,
  env: NodeJS.ProcessEnv,
): Promise<ConfigFacts> {
  const files = readFiles(request, selection, env)
  const oldCopies = files.flatMap(readOldCopies)
  const obstacles = new Map<string, AgentError>()
  if (request.config === undefined) return { files, oldCopies, obstacles, env }
  const { requireWritable } = await import('../oslo/write.js')
  for (const { path } of files) {
    try {
      requireWritable(path)
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      obstacles.set(path, error)
    }
  }
  return { files, oldCopies, obstacles, env }
}
