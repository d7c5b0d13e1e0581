import { AgentError } from '../model/errors.js'
import type { ConfigFacts } from '../model/observation.js'
import type { Request } from '../model/request.js'
import { readConfigFilesWith } from '../oslo/files.js'
import { readOldCopies } from '../oslo/old-copies.js'

/** The files that cinder-volume reads, and what keeps those from being replaced that the request may edit. Errors: config_error. */
export async function readConfigFacts({ config, source }: Request, env: NodeJS.ProcessEnv): Promise<ConfigFacts> {
  const files = readConfigFilesWith(config?.file, source, env)
  const oldCopies = files.flatMap(readOldCopies)
  const obstacles = new Map<string, AgentError>()
  if (config === undefined) return { files, oldCopies, obstacles, env }
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
