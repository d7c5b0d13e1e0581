import type { CommandSpec } from '../commands.js'

/** What is offered for an argument, or for the value of an option. */
export type Offer = 'files' | 'folders' | 'hosts' | readonly string[]

export function offered({ argument = '' }: CommandSpec): Offer {
  if (argument === 'FILE') return 'files'
  if (argument.startsWith('HOST')) return 'hosts'
  return /^\[?[a-z|]+\]?$/.test(argument) ? argument.replace(/[[\]]/g, '').split('|') : []
}

export function isWords(offer: Offer): offer is readonly string[] {
  return typeof offer !== 'string'
}

/** The command that tells the hosts: one that gives up soon, for somebody waits at a prompt. */
export const HOSTS = 'list --names --timeout 2'
