import type { CommandSpec } from '../commands.js'

/** What is getOffer for an argument, or for the value of an option. */
export type Offer = 'files' | 'folders' | 'hosts' | readonly string[]

export function getOffer({ argument = '' }: CommandSpec): Offer {
  if (argument === 'FILE') return 'files'
  if (argument.startsWith('HOST')) return 'hosts'
  return /^\[?[a-z|]+\]?$/.test(argument) ? argument.replace(/[[\]]/g, '').split('|') : []
}

export function isWordList(offer: Offer): offer is readonly string[] {
  return typeof offer !== 'string'
}

/** The command that lists the hosts. It has a short timeout, because the user waits at the prompt. */
export const LIST_HOSTS = 'list --names --timeout 2'
