import { AgentError } from '../model/errors.js'
import type { Request } from '../model/request.js'
import type { FileSelection } from '../oslo/files.js'
import { readServiceDownTime, readSettings } from '../oslo/settings.js'
import { type DatabaseUrl, parseUrl } from '../store/url.js'
import { quote } from '../text/quote.js'

/** Cinder's own default (cinder/common/config.py). */
const DEFAULT_SERVICE_DOWN_TIME_S = 60

export interface DatabaseFacts {
  readonly url: DatabaseUrl
  /** Seconds. */
  readonly serviceDownTime: number
}

/**
 * The database, and the age from which a heartbeat counts as down: from the request, else from the environment and cinder.conf. Files that the
 * request names have the connection, also if cinder-volume reads others.
 */
export function locateDatabase(request: Request, selection: FileSelection, env: NodeJS.ProcessEnv): DatabaseFacts {
  const { connection, ...named } = request.source
  const namesFiles = Object.keys(named).length > 0
  if (connection !== undefined) {
    const isWanted = (namesFiles || request.service !== undefined) && request.serviceDownTime === undefined
    const fromFiles = isWanted ? readServiceDownTime(selection, env) : undefined
    return {
      url: parseUrl(connection),
      serviceDownTime: request.serviceDownTime ?? fromFiles ?? DEFAULT_SERVICE_DOWN_TIME_S,
    }
  }
  const settings = readSettings(selection.isTold && namesFiles ? named : selection, env)
  const serviceDownTime =
    request.serviceDownTime ?? (selection.isTold ? readServiceDownTime(selection, env) : settings.serviceDownTime())
  return {
    url: parseConfiguredUrl(settings),
    serviceDownTime: serviceDownTime ?? DEFAULT_SERVICE_DOWN_TIME_S,
  }
}

/** A bad URL in a file is a bad configuration, not a bad request. */
function parseConfiguredUrl({ place, connection, parameters }: ReturnType<typeof readSettings>): DatabaseUrl {
  try {
    return parseUrl(connection, parameters)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    throw new AgentError('config_error', `${quote(place)}: ${error.problem}`, { ...error.details, cause: error })
  }
}
