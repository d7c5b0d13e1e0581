import { distance } from 'fastest-levenshtein'

/** The names most like the one given, best first; names that share nothing with it are left out. */
export function findSimilar(name: string, known: readonly string[], most: number): readonly string[] {
  const wanted = name.toLowerCase()
  return known
    .map((candidate) => ({ candidate, far: unlikeness(wanted, candidate.toLowerCase()) }))
    .filter(({ far }) => far <= Math.max(2, wanted.length * 0.4))
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

/** A name that only lacks a part (`vol1` for `vol1@arrayA`), or differs in one, is nearer than its length tells. */
function unlikeness(wanted: string, candidate: string): number {
  if (candidate.startsWith(wanted) || wanted.startsWith(candidate)) return 1
  const hostOf = (name: string) => name.slice(0, name.lastIndexOf('@'))
  const sameHost = wanted.includes('@') && hostOf(wanted) === hostOf(candidate)
  return sameHost ? Math.min(2, distance(wanted, candidate)) : distance(wanted, candidate)
}
