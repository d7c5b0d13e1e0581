import { COMMANDS } from '../commands.js'
import { AGENT, HELP, long, type OptionSpec, takesValue } from '../options.js'
import { HOSTS, isWords, type Offer, offered } from './offer.js'

export function fish(): string {
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
