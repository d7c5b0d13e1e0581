/** More items than this are counted, not named. */
const MAX_NAMED_ITEMS = 5

export function formatList(items: readonly string[], separator = '; '): string {
  const named = items.slice(0, MAX_NAMED_ITEMS).join(separator)
  return items.length > MAX_NAMED_ITEMS ? `${named}${separator}and ${items.length - MAX_NAMED_ITEMS} more` : named
}
