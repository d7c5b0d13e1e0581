/** Who reads a hint: the author of a request, or somebody who typed a command. */
export type Audience = 'request' | 'command'

/**
 * How each front end names what a hint talks about. A hint holds the name in braces: "Stop it, or add {wait}." One column for each front end.
 */
export const WORDS: Readonly<Record<string, Readonly<Record<Audience, string>>>> = {
  wait: { request: 'wait: true', command: '--wait' },
  force: { request: 'force: true', command: '--force' },
  check: { request: 'check mode', command: '--check' },
  timeout: { request: 'timeout', command: '--timeout' },
  connection: { request: 'connection', command: '--connection' },
  config_file: { request: 'config_file', command: '--config-file' },
  config_dir: { request: 'config_dir', command: '--config-dir' },
  promote: { request: 'config.promote', command: '--to' },
  promotion: { request: 'config.promote', command: 'cinder-backend promote' },
  replicas: { request: 'config.replication_device', command: '--replica' },
  options: { request: 'config.options', command: '--set' },
  promoted: {
    request: 'set promoted to the name of that array',
    command: 'add --promoted with the name of that array',
  },
  reset: { request: 'add active_backend: reset', command: 'use cinder-backend reset-active-backend' },
  desired_state: { request: 'a desired state', command: 'the other commands' },
  freeze: { request: 'add frozen: true', command: 'use cinder-backend freeze' },
  as_host: { request: 'name it with host', command: 'remove --cluster' },
  as_cluster: {
    request: 'name it with cluster',
    command: 'add --cluster. To promote a cluster use cinder-backend apply: see docs/admin-guide.md',
  },
  options_alone: {
    request: 'config.options, without config.promote',
    command: 'config.options, without config.promote, in a file for cinder-backend apply',
  },
  section: { request: 'config.section', command: 'config.section in a file for cinder-backend apply' },
  file: { request: 'config.file', command: 'config.file in a file for cinder-backend apply' },
  input: { request: 'JSON object to standard input', command: 'object in JSON or YAML' },
  service: { request: 'service.manager or service.name', command: '--service MANAGER:NAME' },
  service_name: { request: 'service.name', command: '--service MANAGER:NAME' },
}

/** The hint with its names in the words of one front end. A name that the table lacks stays as it is. */
export function wordHint(hint: string, audience: Audience): string {
  return hint.replace(/\{([a-z_]+)\}/g, (whole, name: string) =>
    Object.hasOwn(WORDS, name) ? (WORDS[name]?.[audience] ?? whole) : whole,
  )
}
