import { AgentError } from '../model/errors.js'
import type { Request } from '../model/request.js'
import type { FileSelection } from '../oslo/files.js'
import { type HeartbeatSettings, readHeartbeatSettings, readSettings } from '../oslo/settings.js'
import { REPORT_INTERVAL_S } from '../oslo/volume-settings.js'
import { type DatabaseUrl, parseUrl } from '../store/url.js'
import { quote } from '../text/quote.js'

/** Cinder's own default (cinder/common/config.py). */
const DEFAULT_SERVICE_DOWN_TIME_S = 60

const NO_SETTINGS: HeartbeatSettings = {
  serviceDownTime: () => undefined,
  reportInterval: () => REPORT_INTERVAL_S,
}

export interface DatabaseFacts {
  readonly url: DatabaseUrl
  /** Seconds. */
  readonly serviceDownTime: number
  /** Seconds. */
  readonly reportInterval: number
}

/**
 * The database, and what heartbeats are judged by: from the request, else from the environment and cinder.conf. Files that the request names have the
 * connection, also if cinder-volume reads others.
 */
export function locateDatabase(request: Request, selection: FileSelection, env: NodeJS.ProcessEnv): DatabaseFacts {
  const { connection, ...named } = request.source
  const namesFiles = Object.keys(named).length > 0
  const readOwn = () => readTimes(request, readHeartbeatSettings(selection, env))
  if (connection !== undefined) {
    const isAboutFiles = (namesFiles || request.service !== undefined) && request.serviceDownTime === undefined
    const times = isAboutFiles ? readOwn() : readIfPossible(readOwn, () => readTimes(request, NO_SETTINGS))
    return { url: parseUrl(connection), ...times }
  }
  const settings = readSettings(selection.isTold && namesFiles ? named : selection, env)
  return { url: parseConfiguredUrl(settings), ...(selection.isTold ? readOwn() : readTimes(request, settings)) }
}

type Times = Omit<DatabaseFacts, 'url'>

function readTimes({ serviceDownTime }: Request, settings: HeartbeatSettings): Times {
  return {
    serviceDownTime: serviceDownTime ?? settings.serviceDownTime() ?? DEFAULT_SERVICE_DOWN_TIME_S,
    reportInterval: settings.reportInterval(),
  }
}

/** A request that names its database does not ask for a cinder.conf that this user can read. */
function readIfPossible<T>(read: () => T, otherwise: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return otherwise()
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
