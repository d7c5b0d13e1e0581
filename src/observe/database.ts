import { AgentError } from '../model/errors.js'
import type { Request } from '../model/request.js'
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

/** The database, and what heartbeats are judged by: from the request, else from the environment and cinder.conf. */
export function locateDatabase(request: Request, env: NodeJS.ProcessEnv): DatabaseFacts {
  const { connection, ...selection } = request.source
  if (connection === undefined) {
    const settings = readSettings(selection, env)
    return { url: parseConfiguredUrl(settings), ...readTimes(request, settings) }
  }
  const isAboutFiles = Object.keys(selection).length > 0 || request.service !== undefined
  const times = isAboutFiles ? readTimesFromFiles(request, env) : readTimesIfPossible(request, env)
  return { url: parseUrl(connection), ...times }
}

type Times = Omit<DatabaseFacts, 'url'>

function readTimes({ serviceDownTime }: Request, settings: HeartbeatSettings): Times {
  return {
    serviceDownTime: serviceDownTime ?? settings.serviceDownTime() ?? DEFAULT_SERVICE_DOWN_TIME_S,
    reportInterval: settings.reportInterval(),
  }
}

function readTimesFromFiles(request: Request, env: NodeJS.ProcessEnv): Times {
  return readTimes(request, readHeartbeatSettings(request.source, env))
}

/** A request that names its database does not ask for a cinder.conf that this user can read. */
function readTimesIfPossible(request: Request, env: NodeJS.ProcessEnv): Times {
  try {
    return readTimesFromFiles(request, env)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return readTimes(request, NO_SETTINGS)
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
