import { type Backend, getActiveBackendId, listActiveBackendIds } from '../model/backend.js'
import type { OldCopy } from '../model/observation.js'
import { quoteAll } from '../text/list.js'
import { quote } from '../text/quote.js'
import type { Objection } from './guards.js'

/** What cinder.conf shows of the primary that cinder-volume would start on. */
export type Evidence =
  | {
      readonly kind: 'moved'
      /** Options that still belong to the old primary, and do not name the array. */
      readonly left: readonly string[]
    }
  | {
      readonly kind: 'disproven'
      readonly problem: string
      /** The one that tells it. */
      readonly copy?: OldCopy | undefined
      /** What could be the reason but another array: a spelling of its address or of its name, or a list of replicas that the section inherits. */
      readonly reason?: 'spelling' | 'misspelt' | 'inherited' | undefined
    }
  /** split: the rows name several arrays. */
  | { readonly kind: 'split'; readonly problem: string }
  | { readonly kind: 'unknown'; readonly problem: string }

/** Whether cinder-volume finds at a start the array that the row names. Many drivers start on the section's primary if they do not, and say nothing. */
export type ActiveEntry =
  | { readonly kind: 'present' | 'unknown' }
  | {
      readonly kind: 'missing'
      readonly section: string
      /** The one that still has it. */
      readonly copy: OldCopy | undefined
      /** Whether it is there until the edit of this run. */
      readonly isTakenOut: boolean
    }

export function makeUnknown(problem: string): Extract<Evidence, { readonly kind: 'unknown' }> {
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
    case 'split':
      return {
        ...PROVEN,
        objection: {
          problem: `${quote(name)} is failed over, but ${evidence.problem}.`,
          hint: 'Find out on the arrays which one has the volumes, and make it the primary of the section. Then add {force}.',
        },
      }
    case 'disproven':
      return refuse(
        `${evidence.problem}, so cinder-volume would start on another array`,
        hintOfPromotion(array, evidence),
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

function hintOfPromotion(array: string, { copy, reason }: Extract<Evidence, { readonly kind: 'disproven' }>): string {
  const entry = copy === undefined ? 'its entry' : `its entry in ${quote(copy.file.path)}`
  switch (reason) {
    case 'spelling':
      return `Write it as ${entry} has it. If it is another name of the same array, add {force}.`
    case 'misspelt':
      return `Correct the name in replication_device first. Then promote ${array}.`
    case 'inherited':
      return `Give each section a replication_device of its own first. Then promote ${array}.`
    case undefined:
      return `Promote ${array} in cinder.conf: with {promotion}, or with its settings in {options} and the new replicas in {replicas}. If the volumes were failed back on the arrays themselves, add {force}.`
  }
}

/** A start of cinder-volume on a row that stays failed over. The driver must find the array that the row names. */
export function judgeFailedOverStart(backend: Backend, entry: ActiveEntry): Proof {
  if (entry.kind !== 'missing') return PROVEN
  const { target } = backend
  const array = quote(getActiveBackendId(backend) ?? '')
  const copy = entry.copy === undefined ? '' : ` ${quote(entry.copy.file.path)} still has it.`
  return {
    ...PROVEN,
    objection: {
      problem: `${quote(target.name)} is failed over to ${array}, but [${quote(entry.section)}] ${entry.isTakenOut ? 'loses' : 'does not have'} its entry, so cinder-volume could start on another array.`,
      hint: entry.isTakenOut
        ? `To promote ${array}, {reset}. If it is not promoted, leave its entry in {replicas}.`
        : `If ${array} was promoted, {reset}. If not, put its entry back into replication_device.${copy}`,
    },
  }
}

/**
 * A backend whose row is not failed over: its reset was done, or it never was. The row does not tell any more which array it must start on, but the
 * request may, and the old copy as long as the promotion is not finished.
 */
export function judgeNormal(backend: Backend, evidence: Evidence): Proof {
  if (evidence.kind !== 'disproven') return PROVEN
  const { name, promoted } = backend.target
  const copy =
    evidence.copy === undefined
      ? ''
      : ` ${quote(evidence.copy.file.path)} is from before the promotion: if that is over and the section is right, remove it.`
  const objection =
    promoted === undefined
      ? {
          problem: `${quote(name)} would not run on the array that has its volumes: ${evidence.problem}.`,
          hint: `Correct the section before cinder-volume starts.${copy}`,
        }
      : {
          problem: `The request states that ${quote(promoted)} was promoted for ${quote(name)}, but ${evidence.problem}.`,
          hint: `If it was promoted, correct the section before cinder-volume starts. If not, leave that statement out.${copy}`,
        }
  return { ...PROVEN, objection }
}

/** What an operator must know of resets that go on. */
export function listProofWarnings(judged: readonly { readonly backend: Backend; readonly proof: Proof }[]): string[] {
  return [
    ...warnOfDoubts(judged),
    ...judged.flatMap(({ backend, proof: { left } }) =>
      left.length === 0
        ? []
        : [
            `The section of ${quote(backend.target.name)} keeps options of its old primary: ${quoteAll(left, ', ')}. Set them in {options} if the new primary has other values.`,
          ],
    ),
  ]
}

/** A start by a request that wants a reset, which was done before: neither the row nor the request tells which array the section must have. */
export function warnOfUnknownPrimary({ target: { name } }: Backend, evidence: Evidence): readonly string[] {
  if (evidence.kind !== 'unknown') return []
  return [
    `${quote(name)} is not failed over any more, and nothing says which array was promoted. Check that its section has the settings of that array. If you have checked it, {promoted}.`,
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
