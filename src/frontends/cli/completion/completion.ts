import { AgentError } from '../../../model/errors.js'
import { bash } from './bash.js'
import { fish } from './fish.js'
import { zsh } from './zsh.js'

/** A script that completes command lines in that shell; names of hosts come from the database. Errors: invalid_request. */
export function completion(shell = ''): string {
  if (shell === 'bash') return bash()
  if (shell === 'zsh') return zsh()
  if (shell === 'fish') return fish()
  throw new AgentError('invalid_request', 'Scripts are there for bash, zsh and fish.')
}
