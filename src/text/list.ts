import { quote } from './quote.js'

/** More items than this are counted, not named. */
const MAX_NAMED_ITEMS = 5

export function formatList(items: readonly string[], separator = '; '): string {
  const named = items.slice(0, MAX_NAMED_ITEMS).join(separator)
  return items.length > MAX_NAMED_ITEMS ? `${named}${separator}and ${items.length - MAX_NAMED_ITEMS} more` : named
}

/** Texts from outside as a part of a sentence. */
export function quoteAll(texts: readonly string[], separator = ' and '): string {
  return formatList(
    texts.map((each) => quote(each)),
    separator,
  )
}
