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
export function readFiles(request: Request, selection: FileSelection, env: NodeJS.ProcessEnv): readonly SourceFile[] {
  const path = request.config?.file
  const named = path === undefined ? undefined : { path, section: findSection(request) }
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
  const copyObstacles = new Map<string, AgentError>()
  const facts = { files, oldCopies, obstacles, copyObstacles, env }
  if (request.config === undefined) return facts
  const { requireOldCopy, requireWritable } = await import('../oslo/write.js')
  const section = findSection(request) ?? ''
  for (const { path } of files) {
    noteObstacle(obstacles, path, () => requireWritable(path))
    noteObstacle(copyObstacles, path, () => requireOldCopy(path, section))
  }
  return facts
}

function findSection({ config, targets }: Request): string | undefined {
  const [target] = targets === 'all' ? [] : targets
  return config?.section ?? (target && getSectionName(target.name))
}

function noteObstacle(obstacles: Map<string, AgentError>, path: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    obstacles.set(path, error)
  }
}
