import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readPathsOfContainer, readPathsOfUnit } from '../../../src/service/config-paths.js'

const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const answer = (text: string | undefined) => async () => text
/** As systemctl(1) shows them. */
const unit = (line: string, pid = 0) =>
  answer(`ExecStart={ path=/x ; argv[]=${line} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }\nMainPID=${pid}\n`)
const container = (words: readonly string[], mounts: Readonly<Record<string, string>> | null = null) => {
  const [path, ...args] = words
  const list = mounts && Object.entries(mounts).map(([Destination, Source]) => ({ Type: 'bind', Source, Destination }))
  return answer(JSON.stringify([path, args.length === 0 ? null : args, list]))
}

describe('a unit of systemd', () => {
  test.each([
    ['/usr/bin/cinder-volume', { files: undefined, folders: undefined }],
    [
      '/usr/bin/cinder-volume --config-file /usr/share/cinder/cinder-dist.conf --config-file /etc/cinder/cinder.conf --logfile /var/log/v.log',
      { files: ['/usr/share/cinder/cinder-dist.conf', '/etc/cinder/cinder.conf'], folders: undefined },
    ],
    [
      '/usr/bin/python3 /opt/venv/bin/cinder-volume --config-file=/etc/cinder/a.conf --config-dir=/etc/cinder/a.d --debug',
      { files: ['/etc/cinder/a.conf'], folders: ['/etc/cinder/a.d'] },
    ],
  ])('reads what %s names', async (line, expected) => {
    expect(await readPathsOfUnit('it')(unit(line))).toEqual(expected)
  })

  test.each([
    '/usr/bin/cinder-volume --config-file /etc/a b.conf',
    '/usr/bin/cinder-volume --config-file ${CONF}',
    '/usr/bin/cinder-volume $OPTIONS',
    '/usr/bin/cinder-volume --config-file cinder.conf',
    '/usr/bin/cinder-volume --config-file',
    '/usr/bin/podman run --rm image cinder-volume --config-file /etc/cinder/cinder.conf',
    '/opt/start-it --config-file /etc/cinder/cinder.conf',
    '/bin/sh -c exec cinder-volume --config-file /etc/cinder/cinder.conf',
  ])('is not guessed from %s', async (line) => {
    expect(await readPathsOfUnit('it')(unit(line))).toBeUndefined()
  })

  test('that does not exist tells nothing', async () => {
    expect(await readPathsOfUnit('it')(answer('MainPID=0\n'))).toBeUndefined()
    expect(await readPathsOfUnit('it')(answer(undefined))).toBeUndefined()
  })

  test('that starts a container tells what the container reads', async () => {
    const inspected = container(['cinder-volume'], { '/etc/cinder': '/srv/cinder' })
    const read = async (command: readonly string[]) =>
      command[0] === 'systemctl' ? unit('/usr/bin/docker start -a cinder_volume')() : inspected()
    expect(await readPathsOfUnit('it')(read)).toEqual({ files: ['/srv/cinder/cinder.conf'], folders: [] })
  })
})

describe('a container', () => {
  test.each([
    [
      ['cinder-volume', '--config-file', '/etc/cinder/cinder.conf'],
      { '/etc/cinder/': '/srv/cinder/' },
      ['/srv/cinder/cinder.conf'],
    ],
    [['/bin/sh', '/start', '/usr/bin/cinder-volume'], { '/etc/cinder/cinder.conf': '/srv/it' }, ['/srv/it']],
    [
      ['cinder-volume', '--config-file=/in/the/image', '--config-file=/etc/cinder/cinder.conf'],
      { '/etc': '/wrong', '/etc/cinder': '/right', '/etc/cind': '/wrong' },
      ['/right/cinder.conf'],
    ],
  ])('%j with mounts %j', async (words, mounts, files) => {
    expect(await readPathsOfContainer('docker', 'it')(container(words, mounts))).toEqual({ files, folders: [] })
  })

  test('is read through a shell, but not what only the shell understands', async () => {
    const read = (line: string) =>
      readPathsOfContainer('docker', 'it')(container(['/bin/bash', '-c', line], { '/etc': '/etc' }))
    expect(await read('exec cinder-volume --config-file /etc/a.conf')).toMatchObject({ files: ['/etc/a.conf'] })
    expect(await read('cinder-volume --config-file /etc/a.conf; sleep 1')).toBeUndefined()
    expect(await read('cinder-volume --config-file "/etc/a b.conf"')).toBeUndefined()
    expect(await read('cinder-volume --config-file $CONF')).toBeUndefined()
  })

  test('whose file is in the image alone tells nothing', async () => {
    expect(await readPathsOfContainer('docker', 'it')(container(['cinder-volume']))).toBeUndefined()
    expect(await readPathsOfContainer('docker', 'it')(container(['sleep'], { '/etc': '/etc' }))).toBeUndefined()
  })

  test.each([
    [
      'kolla-ansible',
      [{ source: '/var/lib/kolla/config_files/cinder.conf', dest: '/etc/cinder/cinder.conf' }],
      ['cinder.conf'],
    ],
    ['TripleO', [{ source: '/var/lib/kolla/config_files/src/*', dest: '/' }], ['src/etc/cinder/cinder.conf']],
  ])('of %s copies its file from a mount', async (_, copies, files) => {
    const command = 'cinder-volume --config-file /etc/cinder/cinder.conf'
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ command, config_files: copies }))
    const words = ['dumb-init', '--single-child', '--', 'kolla_start']
    const read = container(words, { '/var/lib/kolla/config_files/': `${folder}/` })
    expect(await readPathsOfContainer('podman', 'it')(read)).toEqual({
      files: files.map((file) => join(folder, file)),
      folders: [],
    })
  })
})
