import { toOneLine } from '../../text/quote.js'
import type { Screen } from './terminal.js'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 120

/** A step that takes less than this leaves no line on the screen. */
const MIN_SHOWN_S = 1

export interface Spinner {
  readonly showStep: (text: string) => void
  /** Ends the last step. */
  readonly stop: (failed: boolean) => void
}

/** Shows the current step and its seconds on one line of a terminal; shows nothing if the line cannot be overwritten. */
export function makeSpinner({ canErase, width, style }: Screen): Spinner {
  if (!canErase) return { showStep: () => {}, stop: () => {} }
  let step = ''
  let startedAt = 0
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  const countSeconds = () => Math.floor((performance.now() - startedAt) / 1000)
  const drawLine = (sign: string) => {
    const time = countSeconds() > 0 ? ` (${countSeconds()} s)` : ''
    process.stderr.write(`\r\u001b[K${sign} ${step.slice(0, width - 3 - time.length)}${time}`)
  }
  const drawFrame = () => drawLine(style('cyan', FRAMES[frame++ % FRAMES.length] ?? ''))
  const endStep = (failed: boolean) => {
    if (step === '') return
    const isShown = failed || countSeconds() >= MIN_SHOWN_S
    if (isShown) drawLine(failed ? style('red', '✗') : style('green', '✓'))
    process.stderr.write(isShown ? '\n' : '\r\u001b[K')
    step = ''
  }
  return {
    showStep: (text) => {
      const next = toOneLine(text)
      if (next === step) return
      endStep(false)
      step = next
      startedAt = performance.now()
      drawFrame()
      timer ??= setInterval(drawFrame, FRAME_MS)
    },
    stop: (failed) => {
      clearInterval(timer)
      timer = undefined
      endStep(failed)
    },
  }
}
