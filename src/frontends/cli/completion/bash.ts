import { COMMANDS } from '../commands.js'
import { BARE_OPTIONS, getLongName, HELP_OPTION, type OptionSpec, takesValue } from '../options.js'
import { getOffer, isWordList, LIST_HOSTS, type Offer } from './offer.js'

export function renderBash(): string {
  const offer = (each: Offer) => (isWordList(each) ? `words '${each.join(' ')}'` : each)
  const options = (all: readonly OptionSpec[]) => [...all, HELP_OPTION].map(getLongName).join(' ')
  const commands = COMMANDS.map(
    (command) =>
      `    ${command.name}) options='${options(command.options)}'; argument="${offer(getOffer(command))}" ;;`,
  )
  const all = new Map(
    [...BARE_OPTIONS, ...COMMANDS.flatMap((each) => each.options)].map((each) => [getLongName(each), each]),
  )
  const values = [...all.values()]
    .filter(takesValue)
    .map((each) => `    ${getLongName(each)}) argument="${offer(each.values ?? [])}"; options='' ;;`)
  return `# bash completion for cinder-backend. Source it, or save it in /etc/bash_completion.d.
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
      options='${BARE_OPTIONS.map(getLongName).join(' ')}'
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
      [[ \${asked[*]} =~ ^[A-Za-z0-9_@%+=:,./\\ -]*$ ]] || return # the shell would expand other characters
      while read -r host; do
        if [[ $host == "$current"* && $host =~ ^[A-Za-z0-9_.@:-]+$ ]]; then COMPREPLY+=("$host"); fi
      done < <("$1" ${LIST_HOSTS} "\${asked[@]}" 2>/dev/null </dev/null)
      ;;
  esac
  # bash replaces only $2, which begins after the last word break, such as @
  COMPREPLY=("\${COMPREPLY[@]#"\${current%"$2"}"}")
  return 0
}
complete -F _cinder_backend cinder-backend
`
}
