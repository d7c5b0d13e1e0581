# A backend's desired state as a file, settled whenever the rows differ from it.
define cinder_backend (
  String $request,
  String $folder = '/etc/cinder-backend',
  Array[String] $path = ['/usr/local/bin', '/usr/bin', '/bin'],
) {
  $file = "${folder}/${regsubst($title, '[^A-Za-z0-9@._-]', '_', 'G')}.json"

  unless defined(File[$folder]) {
    file { $folder:
      ensure => directory,
      mode   => '0700',
    }
  }

  file { $file:
    content => $request,
    mode    => '0600',
  }

  # The exit status of --detailed-exitcode: 0 nothing to change, 2 changed, 1 failed.
  exec { "cinder-backend ${title}":
    command  => "cinder-backend --detailed-exitcode < ${file}",
    unless   => "cinder-backend --check --detailed-exitcode < ${file}",
    returns  => [0, 2],
    path     => $path,
    provider => shell,
    require  => File[$file],
  }
}

cinder_backend { 'vol1@arrayA':
  request => '{"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled"}',
}
