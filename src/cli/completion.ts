import { AgentError } from '../errors.js'
import { COMMANDS, type CommandSpec } from './commands.js'
import { AGENT, HELP, long, type OptionSpec, takesValue } from './options.js'

/** A script that completes command lines in that shell; names of hosts come from the database. Errors: invalid_request. */
export function completion(shell = ''): string {
  if (shell === 'bash') return bash()
  if (shell === 'zsh') return zsh()
  if (shell === 'fish') return fish()
  throw new AgentError('invalid_request', 'Scripts are there for bash, zsh and fish.')
}

/** What is offered for an argument, or for the value of an option. */
type Offer = 'files' | 'folders' | 'hosts' | readonly string[]

function offered({ argument = '' }: CommandSpec): Offer {
  if (argument === 'FILE') return 'files'
  if (argument.startsWith('HOST')) return 'hosts'
  return /^\[?[a-z|]+\]?$/.test(argument) ? argument.replace(/[[\]]/g, '').split('|') : []
}

function isWords(offer: Offer): offer is readonly string[] {
  return typeof offer !== 'string'
}

/** The command that tells the hosts: one that gives up soon, for somebody waits at a prompt. */
const HOSTS = 'list --names --timeout 2'

function bash(): string {
  const offer = (each: Offer) => (isWords(each) ? `words '${each.join(' ')}'` : each)
  const options = (all: readonly OptionSpec[]) => [...all, HELP].map(long).join(' ')
  const commands = COMMANDS.map(
    (command) => `    ${command.name}) options='${options(command.options)}'; argument="${offer(offered(command))}" ;;`,
  )
  const all = new Map([...AGENT, ...COMMANDS.flatMap((each) => each.options)].map((each) => [long(each), each]))
  const values = [...all.values()]
    .filter(takesValue)
    .map((each) => `    ${long(each)}) argument="${offer(each.values ?? [])}"; options='' ;;`)
  return `# bash completion of cinder-backend: source it, or put it into /etc/bash_completion.d
_cinder_backend() {
  local line=\${COMP_LINE:0:COMP_POINT} options='' argument='' current option before
  current=\${line##*[[:space:]]}
  before=\${line%"$current"}
  before=\${before%"\${before##*[![:space:]]}"}
  option=\${before##*[[:space:]]}
  case $current in --*=*) option=\${current%%=*} current=\${current#*=} ;; esac
  COMPREPLY=()
  case \${COMP_WORDS[1]} in
${commands.join('\n')}
    *)
      options='${AGENT.map(long).join(' ')}'
      [ "$COMP_CWORD" -eq 1 ] && argument="words '${COMMANDS.map(({ name }) => name).join(' ')}'"
      ;;
  esac
  case $option in
${values.join('\n')}
    [!-]*=*) argument='' ;;
  esac
  case $current in -*) argument="words '$options'" ;; esac
  case $argument in
    words*) mapfile -t COMPREPLY < <(compgen -W "\${argument:7:-1}" -- "$current") ;;
    files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folders) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    hosts)
      local host word take='' all asked=()
      read -ra all <<<"$before"
      for word in "\${all[@]}"; do
        if [ -n "$take" ] || [[ $word == --con@(nection|fig-file|fig-dir)=* || $word == --cluster ]]; then asked+=("$word"); fi
        take=''
        case $word in --connection | --config-file | --config-dir) asked+=("$word") take=1 ;; esac
      done
      [[ \${asked[*]} =~ ^[A-Za-z0-9_@%+=:,./\\ -]*$ ]] || return # what the shell would make something else of
      while read -r host; do
        if [[ $host == "$current"* && $host =~ ^[A-Za-z0-9_.@:-]+$ ]]; then COMPREPLY+=("$host"); fi
      done < <("$1" ${HOSTS} "\${asked[@]}" 2>/dev/null </dev/null)
      ;;
  esac
  # bash replaces $2 alone, which begins at the last of its word breaks, such as @
  COMPREPLY=("\${COMPREPLY[@]#"\${current%"$2"}"}")
  return 0
}
complete -F _cinder_backend cinder-backend
`
}

function zsh(): string {
  const escaped = (text: string) => text.replace(/['[\]:]/g, (sign) => (sign === "'" ? "'\\''" : `\\${sign}`))
  const action = (offer: Offer) =>
    isWords(offer)
      ? `(${offer.join(' ')})`
      : { files: '_files', folders: '_files -/', hosts: '_cinder_backend_hosts' }[offer]
  const option = (each: OptionSpec) => {
    const value = takesValue(each) ? `:value:${action(each.values ?? [])}` : ''
    return `'${each.repeatable ? '*' : ''}${long(each)}[${escaped(each.text)}]${value}'`
  }
  const commands = COMMANDS.map(({ name, text }) => `    '${name}:${escaped(text)}'`)
  const cases = COMMANDS.map((command) => {
    const all = [...[...command.options, HELP].map(option), `'*:word:${action(offered(command))}'`]
    return `    ${command.name}) _arguments ${all.join(' ')} ;;`
  })
  return `#compdef cinder-backend
# zsh completion of cinder-backend: put it as _cinder-backend into a folder of $fpath
_cinder_backend_hosts() {
  local -a names asked
  local word take
  for word in \${(Q)words[1,CURRENT-1]}; do
    if [[ -n $take || $word == --con(nection|fig-file|fig-dir)=* || $word == --cluster ]]; then asked+=($word); fi
    take=
    case $word in --connection|--config-file|--config-dir) asked+=($word); take=1 ;; esac
  done
  names=(\${(f)"$(cinder-backend ${HOSTS} $asked 2>/dev/null </dev/null)"})
  compadd "$@" -a names
}
_cinder_backend() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if [[ $words[2] == -* ]]; then
    _arguments ${AGENT.map(option).join(' ')}
    return
  fi
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
  const offer = (each: Offer) => {
    if (isWords(each)) return `-f -a ${quoted(each.join(' '))}`
    if (each === 'hosts') return `-f -a '(__cinder_backend_hosts)'`
    return each === 'files' ? '-F' : `-f -a ${quoted('(__fish_complete_directories)')}`
  }
  const option = (within: string, each: OptionSpec) => {
    const value = takesValue(each) ? ` -r ${offer(each.values ?? [])}` : ''
    return `complete -c cinder-backend ${within} -l ${long(each).slice(2)}${value} -d ${quoted(each.text)}`
  }
  const first = '-n __fish_use_subcommand'
  const lines = COMMANDS.flatMap((command) => {
    const within = `-n '__fish_seen_subcommand_from ${command.name}'`
    return [
      `complete -c cinder-backend ${first} -f -a ${command.name} -d ${quoted(command.text)}`,
      ...[...command.options, HELP].map((each) => option(within, each)),
      `complete -c cinder-backend ${within} ${offer(offered(command))}`,
    ]
  })
  return `# fish completion of cinder-backend: put it into ~/.config/fish/completions/cinder-backend.fish
function __cinder_backend_hosts
  set -l take
  set -l asked
  for word in (commandline -opc)
    if test -n "$take"; or string match -qr -- '^--(connection|config-file|config-dir)=|^--cluster$' $word
      set -a asked $word
    end
    set take
    if string match -qr -- '^--(connection|config-file|config-dir)$' $word
      set -a asked $word
      set take 1
    end
  end
  cinder-backend ${HOSTS} $asked 2>/dev/null </dev/null
end
complete -c cinder-backend -f
${[...AGENT.map((each) => option(first, each)), ...lines].join('\n')}
`
}
