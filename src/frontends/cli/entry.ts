// What main.ts loads of the commands. The build makes a file of its own of it, so that a run without a command does not read the commands.
export { moveCommandFirst } from './commands.js'
export { renderHelp } from './help.js'
export { runCommandLine } from './main.js'
