import type { ResultDocument } from '../../model/contract.generated.js'
import { stripControlCharacters } from '../../text/control.js'
import { toOneLine } from '../../text/quote.js'

declare const printable: unique symbol

/** A result without control characters. The rendering functions take no other result, so that none reaches a terminal. */
export type PrintableResult = ResultDocument & { readonly [printable]: true }

export function makePrintable(result: ResultDocument): PrintableResult {
  return cleanText(result, false) as PrintableResult // the shape is the same: only characters in texts differ
}

/** A diff has several lines in a text; every other text is one line. */
function cleanText(value: unknown, keepsLines: boolean): unknown {
  if (typeof value === 'string')
    return keepsLines ? stripControlCharacters(value) : toOneLine(value, Number.POSITIVE_INFINITY)
  if (Array.isArray(value)) return value.map((item: unknown) => cleanText(item, keepsLines))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cleanText(item, keepsLines || key === 'diff')]),
  )
}
