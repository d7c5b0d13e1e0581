import { COMMANDS, getSummary } from '../commands.js'
import { BARE_OPTIONS, getLongName, HELP_OPTION, type OptionSpec, takesValue } from '../options.js'
import { getOffer, isWordList, LIST_HOSTS, type Offer } from './offer.js'

export function renderFish(): string {
  const quoteWord = (text: string) => `'${text.replace(/['\\]/g, (sign) => `\\${sign}`)}'`
  const offer = (each: Offer) => {
    if (isWordList(each)) return `-f -a ${quoteWord(each.join(' '))}`
    if (each === 'hosts') return `-f -a '(__cinder_backend_hosts)'`
    return each === 'files' ? '-F' : `-f -a ${quoteWord('(__fish_complete_directories)')}`
  }
  const option = (within: string, each: OptionSpec) => {
    const value = takesValue(each) ? ` -r ${offer(each.values ?? [])}` : ''
    return `complete -c cinder-backend ${within} -l ${getLongName(each).slice(2)}${value} -d ${quoteWord(each.text)}`
  }
  const first = '-n __fish_use_subcommand'
  const lines = COMMANDS.flatMap((command) => {
    const within = `-n '__fish_seen_subcommand_from ${command.name}'`
    return [
      `complete -c cinder-backend ${first} -f -a ${command.name} -d ${quoteWord(getSummary(command.text))}`,
      ...[...command.options, HELP_OPTION].map((each) => option(within, each)),
      `complete -c cinder-backend ${within} ${offer(getOffer(command))}`,
    ]
  })
  return `# fish completion for cinder-backend. Save it as ~/.config/fish/completions/cinder-backend.fish.
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
  cinder-backend ${LIST_HOSTS} $asked 2>/dev/null </dev/null
end
complete -c cinder-backend -f
${[...BARE_OPTIONS.map((each) => option(first, each)), ...lines].join('\n')}
`
}
