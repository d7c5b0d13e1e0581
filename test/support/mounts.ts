const UNSHARE = ['unshare', '--map-root-user', '--mount']

/** The command in a mount namespace of its own, where other folders stand in the place of some. Keys are places, values what stands there. */
export function withMounts(mounts: Readonly<Record<string, string>>, command: readonly string[]): readonly string[] {
  const binds = Object.entries(mounts).map(([place, source]) => `mount --bind '${source}' '${place}' && `)
  return binds.length === 0 ? command : [...UNSHARE, 'sh', '-c', `${binds.join('')}exec "$@"`, 'sh', ...command]
}
