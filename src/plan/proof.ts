import { type Backend, getActiveBackendId, listActiveBackendIds } from '../model/backend.js'
import { quote } from '../text/quote.js'
import type { Objection } from './guards.js'

/** What cinder.conf shows of the primary that cinder-volume would start on. */
export type Evidence =
  | {
      readonly kind: 'moved'
      /** Options that still belong to the old primary, and do not name the array. */
      readonly left: readonly string[]
    }
  | { readonly kind: 'disproven' | 'unknown'; readonly problem: string }

export function makeUnknown(problem: string): Evidence {
  return { kind: 'unknown', problem }
}

/** One backend whose row is to be reset, with what is known of its primary. */
interface ResetFacts {
  readonly backend: Backend
  readonly evidence: Evidence
  /** Whether nothing but the row is touched: no service, no edit, no thaw. */
  readonly isBare: boolean
}

/** Whether the primary is the array that the backend is failed over to. */
export interface Proof {
  readonly objection: Objection | undefined
  /** What is not known, of a reset that goes on all the same. */
  readonly doubt: string | undefined
  readonly left: readonly string[]
}

export const PROVEN: Proof = { objection: undefined, doubt: undefined, left: [] }

/**
 * After a reset cinder-volume starts on the primary that its section names, so that must be the array that the backend is failed over to. cinder.conf
 * shows it, or the request states it with `promoted`. What cinder.conf disproves no statement proves.
 */
export function judgeReset({ backend, evidence, isBare }: ResetFacts): Proof {
  const { name, promoted } = backend.target
  const arrays = listActiveBackendIds(backend)
  const [active] = arrays
  const array = active === undefined ? 'the array that it runs on' : quote(active)
  const is = active === undefined ? 'failed over' : `failed over to ${quote(active)}`
  const refuse = (problem: string, hint: string): Proof => ({
    ...PROVEN,
    objection: { problem: `${quote(name)} is ${is}, but ${problem}.`, hint },
  })
  if (promoted !== undefined && arrays.some((each) => each !== promoted))
    return refuse(
      `the request states that ${quote(promoted)} was promoted`,
      `Check which array has the volumes. If it is ${array}, promote that one.`,
    )
  switch (evidence.kind) {
    case 'disproven':
      return refuse(
        `${evidence.problem}, so cinder-volume would start on another array`,
        `Promote ${array} in cinder.conf: with {promotion}, or with its settings in {options} and the new replicas in {replicas}. If the volumes were failed back on the arrays themselves, add {force}.`,
      )
    case 'moved':
      return { ...PROVEN, left: evidence.left }
    case 'unknown':
      if (promoted !== undefined) return PROVEN
      if (isBare) return { ...PROVEN, doubt: evidence.problem }
      return refuse(
        evidence.problem,
        `Check its section. If it does not have all settings of ${array}, write them there first. If it has them, {promoted}.`,
      )
  }
}

/** What an operator must know of resets that go on. */
export function listProofWarnings(judged: readonly { readonly backend: Backend; readonly proof: Proof }[]): string[] {
  return [
    ...warnOfDoubts(judged),
    ...judged.flatMap(({ backend, proof: { left } }) =>
      left.length === 0
        ? []
        : [
            `The section of ${quote(backend.target.name)} keeps options of its old primary: ${left.map((each) => quote(each)).join(', ')}. Set them in {options} if the new primary has other values.`,
          ],
    ),
  ]
}

/** Without the entry of the array that the backend is failed over to, and without its settings, a section is no one's. */
export function warnOfLostEntry({ target: { name } }: Backend, evidence: Evidence): readonly string[] {
  if (evidence.kind === 'moved') return []
  return [
    `The edit takes the array that ${quote(name)} is failed over to out of replication_device, but ${evidence.problem}. Set its settings in {options} before the reset.`,
  ]
}

/** Names that a warning lists. */
const MOST_NAMED = 5

/** One warning for all: a request can name thousands of backends. */
function warnOfDoubts(judged: readonly { readonly backend: Backend; readonly proof: Proof }[]): string[] {
  const open = judged.filter(({ proof }) => proof.doubt !== undefined)
  const [first] = open
  if (first === undefined) return []
  const names = open.slice(0, MOST_NAMED).map(({ backend }) => {
    const active = getActiveBackendId(backend)
    return active === undefined ? quote(backend.target.name) : `${quote(backend.target.name)} (${quote(active)})`
  })
  const more = open.length > MOST_NAMED ? ` and ${open.length - MOST_NAMED} more` : ''
  const why = open.length === 1 ? ` (${first.proof.doubt})` : ''
  return [
    `Nothing shows that the primary in cinder.conf is the array that the backend is failed over to: ${names.join(', ')}${more}${why}. Check that before you start cinder-volume. If you have checked it, {promoted}.`,
  ]
}
