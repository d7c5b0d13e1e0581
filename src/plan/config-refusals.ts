import type { Backend } from '../model/backend.js'
import { AgentError } from '../model/errors.js'
import type { Refusal } from '../model/plan.js'
import type { WantedConfig } from '../model/request.js'
import type { ConfigSection } from '../oslo/section.js'
import { quote } from '../text/quote.js'
import { resets } from './stages.js'

/** Each member has its own file, but the row that tells the replica is everyone's: the first to reset would leave the others nothing to go by. */
export function sharedRow({ target: { kind, name } }: Backend): AgentError {
  return new AgentError('invalid_request', `${quote(name)} is a cluster, whose members edit their files one by one.`, {
    hint: "Write the new primary's settings out as config.options, for all members alike, in place of promote: true.",
    [kind]: name,
  })
}

/**
 * With promote: true a backend that is not failed over keeps its section: a healthy one must not lose its primary to a playbook that runs once too often.
 * Where anything else is to be done, as after a reset whose section is still to be corrected, that is refused.
 */
export function leftAlone({ target: { name } }: Backend, section: string, names: readonly string[]) {
  const differs = `its section [${quote(section)}] differs from the request in ${names.map((each) => quote(each)).join(', ')}`
  const hint =
    "Where it was promoted already, name the replica in place of true, or leave promote out, and give the new primary's settings as config.options."
  const problem = `${name} is not failed over, so promote: true leaves cinder.conf as it is, but ${differs}.`
  return { warnings: [`${problem} ${hint}`], refusal: { code: 'not_failed_over' as const, problem, hint } }
}

/**
 * An edit writes the primary's settings and replication_device at once. Where the second has nothing of what is wanted, and there is no entry to take
 * the first from, nobody has promoted it: after the reset cinder-volume would start on the old primary.
 */
export function neverPromoted(
  { section, target: { path } }: ConfigSection,
  { target }: Backend,
  id: string,
): AgentError {
  return new AgentError(
    'config_error',
    `[${quote(section)}] in ${quote(path)} has no replication target ${quote(id)}, to which ${quote(target.name)} is failed over.`,
    {
      hint: {
        request: 'Correct its backend_id there; where the section has its settings already, leave promote out.',
        command:
          'Correct its backend_id there; where the section has its settings already, use apply with config, and without promote.',
      },
      [target.kind]: target.name,
    },
  )
}

/** The entry may have been promoted by an earlier run, or never been there. */
export function takenForPromoted({ section }: ConfigSection, id: string): string {
  return `[${quote(section)}] has no replication target ${quote(id)}, so it is taken for promoted already. See that the section has its settings.`
}

/** A reset must not pass for a promotion of another array than the one that the backend runs on, such as one that is misspelt. */
export function wrongTarget(
  { promote }: WantedConfig,
  backend: Backend,
  active: string | undefined,
): Refusal | undefined {
  return typeof promote === 'string' &&
    resets(backend, backend.target.desired) &&
    active !== undefined &&
    active !== promote
    ? notFailedOver(backend, promote, active)
    : undefined
}

const ALREADY = 'Where it was reset already, by another member or before cinder.conf was edited, do not start it:'
const HEALTHY = 'A healthy one needs no promotion.'

export function notFailedOver({ target: { name } }: Backend, id: string, active: string | undefined): Refusal {
  const on = active === undefined ? 'not failed over' : `failed over to ${quote(active)}`
  return {
    code: 'not_failed_over',
    problem: `${name} is ${on}, so ${quote(id)} must not take its primary's place.`,
    hint:
      active === undefined
        ? {
            request: `${ALREADY} write the new primary's settings out as config.options, without promote. ${HEALTHY}`,
            command: `${ALREADY} use apply, with the new primary's settings as config.options and without promote. ${HEALTHY}`,
          }
        : {
            request: 'Name the array that it is failed over to, or say promote: true.',
            command: `Give --to ${quote(active)}, if that is the one that you mean.`,
          },
  }
}
