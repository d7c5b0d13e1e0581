import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

const { folder } = inject('peers')
const project = new URL('../..', import.meta.url).pathname

/** A folder with nothing but the module and its documentation, as an operator copies them. */
export function cleanLibrary(): string {
  const library = join(mkdtempSync(join(folder, 'ansible-')), 'library')
  mkdirSync(library)
  for (const name of ['cinder_backend.js', 'cinder_backend.yml'])
    copyFileSync(join(project, 'library', name), join(library, name))
  return library
}

/** Runs one of Ansible's programs with that library; its whole output, standard error included. */
export function ansible(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const home = mkdtempSync(join(folder, 'ansible-home-'))
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: home,
    env: {
      ...process.env,
      ANSIBLE_HOME: home,
      ANSIBLE_LOCAL_TEMP: home,
      ANSIBLE_REMOTE_TEMP: home,
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_LIBRARY: cleanLibrary(),
      LC_ALL: 'C.UTF-8',
      ...env,
    },
    maxBuffer: 2 ** 26,
  })
  return { status, output: `${stdout}${stderr}` }
}
