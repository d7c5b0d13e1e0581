# Reports where a backend differs from a desired state. It changes nothing: an agent of Puppet runs again and again, and would reset a backend in the
# middle of its promotion.
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

  # "unless" says whether anything differs; the command then tells what, and fails where the agent refuses it.
  exec { "cinder-backend ${title}":
    command   => "cinder-backend --check --diff < ${file}",
    unless    => "cinder-backend --check --detailed-exitcode < ${file}",
    logoutput => true,
    path      => $path,
    provider  => shell,
    require   => File[$file],
  }
}

cinder_backend { 'vol1@arrayA':
  request => '{"host": "vol1@arrayA", "active_backend": "reset", "replication": "enabled"}',
}
