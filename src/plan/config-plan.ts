import type { Backend } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { Observation, OldCopy } from '../model/observation.js'
import type { ConfigEdit, Plan } from '../model/plan.js'
import type { Request } from '../model/request.js'
import { quote } from '../text/quote.js'
import type { Objection } from './guards.js'
import { type ActiveEntry, type Evidence, makeUnknown } from './proof.js'

/** What the request's `config` needs. */
export interface ConfigPlan {
  /** undefined: the section is as wanted. */
  readonly edit: ConfigEdit | undefined
  /** Whether the backend's section names a replica once the edit is made; undefined if no section can be read. */
  readonly hasReplica: (backend: Backend) => boolean | undefined
  readonly section: Plan['section']
  readonly warnings: readonly string[]
  /** Why neither the files may be edited nor their cinder-volume controlled: they are those of another backend. */
  readonly otherBackend: AgentError | undefined
  /** What must be known if the files are edited or their cinder-volume is controlled. */
  readonly notes: readonly string[]
  readonly refusal: Objection | undefined
  /** Whether the section does not have the replica to promote, or not any more, though the row is still failed over. */
  readonly mustBeProven: boolean
  /** What cinder.conf shows of a backend's primary, as it stands after the edit. */
  readonly findEvidence: (backend: Backend) => Evidence
  /** Whether cinder-volume finds at a start the array that the backend's row names, as cinder.conf is now or as the edit leaves it. */
  readonly findActiveEntry: (backend: Backend, when: 'now' | 'edited') => ActiveEntry
  /** The copies of cinder.conf that were kept as proof for a reset of the backend. */
  readonly listOldCopies: (backend: Backend) => readonly OldCopy[]
}

/** Plans the edit of cinder.conf (config.ts). It is a parameter of the planner, so that runs that do not need it do not load it. */
export type PlanConfig = (request: Request, observation: Observation) => ConfigPlan

export const NO_CONFIG: ConfigPlan = {
  edit: undefined,
  hasReplica: () => undefined,
  section: undefined,
  warnings: [],
  otherBackend: undefined,
  notes: [],
  refusal: undefined,
  mustBeProven: false,
  findEvidence: () => makeUnknown('no cinder.conf can be read here'),
  findActiveEntry: () => ({ kind: 'unknown' }),
  listOldCopies: () => [],
}

/** The plan where it is not known whether cinder-volume reads the files that are known here. Errors: config_error for an edit. */
export function planInDoubt({ config }: Request, { target: { kind, name } }: Backend, doubt: string): ConfigPlan {
  if (config === undefined) return { ...NO_CONFIG, findEvidence: () => makeUnknown(doubt) }
  throw new AgentError('config_error', `The section of ${quote(name)} cannot be edited: ${doubt}.`, {
    hint: 'Name all files that it reads with {config_file}.',
    [kind]: name,
  })
}
