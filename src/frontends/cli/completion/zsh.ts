import { COMMANDS, getSummary } from '../commands.js'
import { BARE_OPTIONS, getLongName, HELP_OPTION, type OptionSpec, takesValue } from '../options.js'
import { getOffer, isWordList, LIST_HOSTS, type Offer } from './offer.js'

export function renderZsh(): string {
  const escapeText = (text: string) => text.replace(/['[\]:]/g, (sign) => (sign === "'" ? "'\\''" : `\\${sign}`))
  const action = (offer: Offer) =>
    isWordList(offer)
      ? `(${offer.join(' ')})`
      : { files: '_files', folders: '_files -/', hosts: '_cinder_backend_hosts' }[offer]
  const option = (each: OptionSpec) => {
    const value = takesValue(each) ? `:value:${action(each.values ?? [])}` : ''
    return `'${each.repeatable ? '*' : ''}${getLongName(each)}[${escapeText(each.text)}]${value}'`
  }
  const commands = COMMANDS.map(({ name, text }) => `    '${name}:${escapeText(getSummary(text))}'`)
  const cases = COMMANDS.map((command) => {
    const all = [...[...command.options, HELP_OPTION].map(option), `'*:word:${action(getOffer(command))}'`]
    return `    ${command.name}) _arguments ${all.join(' ')} ;;`
  })
  return `#compdef cinder-backend
# zsh completion for cinder-backend. Save it as _cinder-backend in a folder of $fpath.
_cinder_backend_hosts() {
  local -a names asked
  local word take
  for word in \${(Q)words[1,CURRENT-1]}; do
    if [[ -n $take || $word == --con(nection|fig-file|fig-dir)=* || $word == --cluster ]]; then asked+=($word); fi
    take=
    case $word in --connection|--config-file|--config-dir) asked+=($word); take=1 ;; esac
  done
  names=(\${(f)"$(cinder-backend ${LIST_HOSTS} $asked 2>/dev/null </dev/null)"})
  compadd "$@" -a names
}
_cinder_backend() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if [[ $words[2] == -* ]]; then
    _arguments ${BARE_OPTIONS.map(option).join(' ')}
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
