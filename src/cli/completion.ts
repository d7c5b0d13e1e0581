import { AgentError } from '../errors.js'
import { COMMANDS, type CommandSpec } from './commands.js'

/** A script that completes command lines in that shell. Errors: invalid_request. */
export function completion(shell = ''): string {
  if (shell === 'bash') return bash()
  if (shell === 'zsh') return zsh()
  if (shell === 'fish') return fish()
  throw new AgentError('invalid_request', 'Scripts are there for bash, zsh and fish.')
}

const NAMES = COMMANDS.map(({ name }) => name).join(' ')

/** Words that a command's argument may be; undefined where it is the name of a file, empty where nobody knows. */
function words({ argument = '' }: CommandSpec): readonly string[] | undefined {
  if (argument === 'FILE') return undefined
  return /^\[?[a-z|]+\]?$/.test(argument) ? argument.replace(/[[\]]/g, '').split('|') : []
}

function long(flags: string): string {
  return flags.split(' ')[0] ?? ''
}

function bash(): string {
  const cases = COMMANDS.map((command) => {
    const options = command.options.map(({ flags }) => long(flags)).join(' ')
    const known = words(command)
    return `    ${command.name}) options='${options} --help'; words='${known?.join(' ') ?? ''}'; files=${known === undefined ? 1 : ''} ;;`
  })
  return `# bash completion of cinder-backend: source it, or put it into /etc/bash_completion.d
_cinder_backend() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} options='' words='' files=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${NAMES} --help --version' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  case $previous in --config-file | --config-dir) files=1 ;; esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *)
      COMPREPLY=($(compgen -W "$words" -- "$current"))
      if [ -n "$files" ]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
  esac
  return 0
}
complete -F _cinder_backend cinder-backend
`
}

function zsh(): string {
  const escaped = (text: string) => text.replace(/['[\]:]/g, (sign) => (sign === "'" ? "'\\''" : `\\${sign}`))
  const commands = COMMANDS.map(({ name, text }) => `    '${name}:${escaped(text)}'`)
  const cases = COMMANDS.map((command) => {
    const options = command.options.map(({ flags, text, repeatable, file }) => {
      const takes = flags.includes('<') ? `:value:${file ? '_files' : ''}` : ''
      return `'${repeatable ? '*' : ''}${long(flags)}[${escaped(text)}]${takes}'`
    })
    const known = words(command)
    const rest = known === undefined ? `'*:file:_files'` : `'*:word:(${known.join(' ')})'`
    return `    ${command.name}) _arguments ${[...options, rest].join(' ')} ;;`
  })
  return `#compdef cinder-backend
# zsh completion of cinder-backend: put it as _cinder-backend into a folder of $fpath
_cinder_backend() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_cinder-backend" ]; then _cinder_backend "$@"; else compdef _cinder_backend cinder-backend; fi
`
}

function fish(): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, (sign) => `\\${sign}`)}'`
  const lines = COMMANDS.flatMap((command) => {
    const { name, text, options } = command
    const within = `-n '__fish_seen_subcommand_from ${name}'`
    const known = words(command)
    return [
      `complete -c cinder-backend -n __fish_use_subcommand -f -a ${name} -d ${quoted(text)}`,
      ...options.map(({ flags, text: what, file }) => {
        const takes = flags.includes('<') ? (file ? ' -r -F' : ' -x') : ''
        return `complete -c cinder-backend ${within} -l ${long(flags).slice(2)}${takes} -d ${quoted(what)}`
      }),
      ...(known === undefined
        ? [`complete -c cinder-backend ${within} -F`]
        : known.map((word) => `complete -c cinder-backend ${within} -f -a ${word}`)),
    ]
  })
  return `# fish completion of cinder-backend: put it into ~/.config/fish/completions/cinder-backend.fish\ncomplete -c cinder-backend -f\n${lines.join('\n')}\n`
}
