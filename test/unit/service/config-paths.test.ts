import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readPathsOfContainer, readPathsOfInitScript, readPathsOfUnit } from '../../../src/service/config-paths.js'
import { MANAGERS } from '../../../src/service/managers.js'

const folder = mkdtempSync(join(tmpdir(), 'cinder-backend-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const answer = (text: string | undefined) => async () => text
/** As systemctl(1) shows them. */
const unit = (line: string, pid = 0) =>
  answer(`ExecStart={ path=/x ; argv[]=${line} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }\nMainPID=${pid}\n`)
const container = (
  words: readonly string[],
  mounts: Readonly<Record<string, string>> | null = null,
  [name, utsMode] = ['vol1', 'private'],
) => {
  const [path, ...args] = words
  const list = mounts && Object.entries(mounts).map(([Destination, Source]) => ({ Type: 'bind', Source, Destination }))
  return answer(JSON.stringify([path, args.length === 0 ? null : args, list, name, utsMode]))
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
    expect(await readPathsOfUnit('it')(unit(line))).toBe('unknown')
  })

  test('that does not exist tells nothing', async () => {
    expect(await readPathsOfUnit('it')(answer('MainPID=0\n'))).toBeUndefined()
    expect(await readPathsOfUnit('it')(answer(undefined))).toBeUndefined()
  })

  test('that starts a container tells what the container reads', async () => {
    const inspected = container(['cinder-volume'], { '/etc/cinder': '/srv/cinder' })
    const read = async (command: readonly string[]) =>
      command[0] === 'systemctl' ? unit('/usr/bin/docker start -a cinder_volume')() : inspected()
    expect(await readPathsOfUnit('it')(read)).toEqual({
      files: ['/srv/cinder/cinder.conf'],
      folders: [],
      machine: 'vol1',
    })
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
    expect(await readPathsOfContainer('docker', 'it')(container(words, mounts))).toEqual({
      files,
      folders: [],
      machine: 'vol1',
    })
  })

  test('is read through a shell, but not what only the shell understands', async () => {
    const read = (line: string) =>
      readPathsOfContainer('docker', 'it')(container(['/bin/bash', '-c', line], { '/etc': '/etc' }))
    expect(await read('exec cinder-volume --config-file /etc/a.conf')).toMatchObject({ files: ['/etc/a.conf'] })
    expect(await read('cinder-volume --config-file /etc/a.conf; sleep 1')).toBe('unknown')
    expect(await read('cinder-volume --config-file "/etc/a b.conf"')).toBe('unknown')
    expect(await read('cinder-volume --config-file $CONF')).toBe('unknown')
  })

  test.each([
    ['vol1', 'private', 'vol1'],
    ['vol1', 'host', hostname()],
    ['', '', hostname()],
  ])('whose hostname is %j, with UTS mode %j, is the machine %s', async (name, utsMode, machine) => {
    const read = container(['cinder-volume'], { '/etc': '/etc' }, [name, utsMode])
    expect(await readPathsOfContainer('docker', 'it')(read)).toMatchObject({ machine })
  })

  test('whose file is on a tmpfs tells nothing', async () => {
    const read = container(['cinder-volume'], { '/etc': '/etc', '/etc/cinder': '' })
    expect(await readPathsOfContainer('podman', 'it')(read)).toBe('unknown')
  })

  test('whose file is in the image alone tells nothing', async () => {
    expect(await readPathsOfContainer('docker', 'it')(container(['cinder-volume']))).toBe('unknown')
    expect(await readPathsOfContainer('docker', 'it')(container(['sleep'], { '/etc': '/etc' }))).toBe('unknown')
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
      machine: 'vol1',
    })
  })
})

test('an init script that does not exist never tells', async () => {
  expect(await readPathsOfInitScript('no-such-script')(answer(''))).toBeUndefined()
})

describe('a resource of pacemaker', () => {
  const read = (status: string, shown: string) => {
    const answers = async ([program]: readonly string[]) => (program === 'pcs' ? status : shown)
    const wanted = { manager: 'pacemaker', name: 'it', state: 'started', timeout: 1, start: [], stop: [], status: [] }
    return MANAGERS.pacemaker({ ...wanted, manager: 'pacemaker', state: 'started' }, '').readConfigPaths?.(answers)
  }
  const inspected = JSON.stringify(['cinder-volume', [], [{ Source: '/srv', Destination: '/etc/cinder' }], 'vol1', ''])

  test('tells what its unit does', async () => {
    const status = '  * it\t(systemd:openstack-cinder-volume):\t Stopped (disabled)\n'
    const line = '/usr/bin/cinder-volume --config-file /etc/a.conf'
    const shown = `ExecStart={ path=/x ; argv[]=${line} ; ignore_errors=no ; pid=0 }\nMainPID=0\n`
    expect(await read(status, shown)).toEqual({ files: ['/etc/a.conf'], folders: undefined })
  })

  test('tells what the container of its bundle does', async () => {
    const status = '  * Container bundle: it [image]:\n    * it-podman-0\t(ocf::heartbeat:podman):\t Started n1\n'
    expect(await read(status, inspected)).toEqual({ files: ['/srv/cinder.conf'], folders: [], machine: 'vol1' })
    expect(await read(status, '["/start",[],[]]')).toBe('unknown')
  })

  test('never tells of another agent', async () => {
    expect(await read('  * it\t(ocf::openstack:cinder-volume):\t Started n1\n', inspected)).toBeUndefined()
  })
})
