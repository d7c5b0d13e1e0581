import { AgentError } from '../../../model/errors.js'
import { renderBash } from './bash.js'
import { renderFish } from './fish.js'
import { renderZsh } from './zsh.js'

/** A completion script for a shell. The names of hosts come from the database. Errors: invalid_request. */
export function renderCompletion(shell = ''): string {
  if (shell === 'bash') return renderBash()
  if (shell === 'zsh') return renderZsh()
  if (shell === 'fish') return renderFish()
  throw new AgentError('invalid_request', 'The argument of completion must be bash, zsh or fish.')
}
