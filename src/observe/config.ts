import { hostname } from 'node:os'
import { getSectionName } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { ConfigFacts, Machine, SourceFile } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { type FileSelection, readConfigFilesWith } from '../oslo/files.js'
import { readOldCopies } from '../oslo/old-copies.js'
import type { ServiceManager } from '../service/manager.js'

/** The files that cinder-volume reads, and where it runs. */
export interface Places extends FileSelection {
  readonly machine: Machine | undefined
}

/**
 * The files that cinder-volume reads: by its manager, which knows it; else by the request; else the default ones, which are in doubt if the manager
 * should know better. The caller's own may have a connection, but no section of this host's cinder-volume. Errors: interrupted.
 */
export async function selectFiles(
  { source: { config_file, config_dir }, config, service }: Request,
  manager: Pick<ServiceManager, 'manager' | 'readConfigPaths'> | undefined,
): Promise<Places> {
  const told = await manager?.readConfigPaths()
  if (told !== undefined && told !== 'unknown') {
    const machine = { name: told.machine ?? hostname(), isKnown: true }
    return { config_file: told.files, config_dir: told.folders, isTold: true, machine }
  }
  const isAboutConfig = config !== undefined || service !== undefined
  const namesFiles = (config_file ?? config_dir ?? config?.file) !== undefined
  const isKnown = manager === undefined && !namesFiles
  const isInDoubt = told === 'unknown' && config_file === undefined
  return {
    config_file,
    config_dir,
    searchesHome: !isAboutConfig,
    isForService: service !== undefined,
    doubt: isInDoubt ? `${manager?.manager} does not tell which files cinder-volume reads` : undefined,
    machine: isAboutConfig ? { name: hostname(), isKnown } : undefined,
  }
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
  { machine, ...selection }: Places,
  env: NodeJS.ProcessEnv,
): Promise<ConfigFacts> {
  const files = readFiles(request, selection, env)
  const obstacles = new Map<string, AgentError>()
  const copyObstacles = new Map<string, AgentError>()
  const facts = {
    files,
    oldCopies: files.flatMap(readOldCopies),
    obstacles,
    copyObstacles,
    env,
    doubt: selection.doubt,
    machine,
  }
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
