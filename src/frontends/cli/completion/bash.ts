import { COMMANDS } from '../commands.js'
import { AGENT, HELP, long, type OptionSpec, takesValue } from '../options.js'
import { HOSTS, isWords, type Offer, offered } from './offer.js'

export function bash(): string {
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
