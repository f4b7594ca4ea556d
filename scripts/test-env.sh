#!/usr/bin/env bash
# Prepares what the test suite needs besides Rust, all of it inside .test/ of this checkout:
# a private PostgreSQL cluster, Python and Node packages at pinned versions, and the addresses
# of Chromium and its driver. What the machine lacks is installed with apt.
#
#   scripts/test-env.sh start        prepare, start PostgreSQL, write .test/env (to be sourced)
#   scripts/test-env.sh run CMD ...  start, run CMD with that environment, stop; exits as CMD did
#   scripts/test-env.sh stop         stop PostgreSQL and drop its data
#
# Whoever brings something else sets PASSMUSTER_TEST_CHROMIUM or PASSMUSTER_TEST_CHROMEDRIVER.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home="$root/.test"
peers="$root/tests/peers"
logs="$home/logs"

say() { printf 'test-env: %s\n' "$*"; }
die() {
  printf 'test-env: %s\n' "$*" >&2
  exit 1
}

# ---- apt ------------------------------------------------------------------------------------

apt_updated=no

# Installs Debian packages, or says what to install by hand.
apt_install() {
  local as_root=()
  command -v apt-get >/dev/null || die "missing: $*. There is no apt-get here: install these yourself and run this again."
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      die "missing: $*. Run 'apt-get install $*' as root (there is no usable sudo here), then this again."
    fi
    as_root=(sudo)
  fi
  local apt=(${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  if [[ $apt_updated == no ]]; then
    say "apt-get update"
    "${apt[@]}" update >"$logs/apt.log" 2>&1 || die "apt-get update failed, see $logs/apt.log"
    apt_updated=yes
  fi
  say "apt-get install $*"
  "${apt[@]}" install -y --no-install-recommends "$@" >>"$logs/apt.log" 2>&1 || die "apt-get install $* failed, see $logs/apt.log"
}

# The first of the given commands that exists, as a path.
first_command() {
  local name
  for name in "$@"; do
    command -v "$name" && return 0
  done
  return 1
}

# ---- PostgreSQL -----------------------------------------------------------------------------

# The folder that holds initdb, pg_ctl and postgres: PATH first, then the newest Debian one.
find_pg_bin() {
  local dir
  if command -v initdb >/dev/null && command -v pg_ctl >/dev/null && command -v postgres >/dev/null; then
    dirname "$(readlink -f "$(command -v initdb)")"
    return 0
  fi
  while IFS= read -r dir; do
    if [[ -x $dir/initdb && -x $dir/pg_ctl && -x $dir/postgres ]]; then
      printf '%s\n' "$dir"
      return 0
    fi
  done < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
  return 1
}

# PostgreSQL refuses to run as root: then another account is borrowed.
pg_account() {
  if [[ $(id -u) != 0 ]]; then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

as_pg() (
  cd / # the borrowed account may not be allowed to look at where we stand
  if [[ $(id -u) == 0 ]]; then
    runuser -u "$(pg_account)" -- "$@"
  else
    "$@"
  fi
)

# Where the cluster lies: in .test/, unless the borrowed account cannot get there (/root is closed).
pg_home() {
  if [[ -s $home/pg-home ]]; then
    cat "$home/pg-home"
  fi
}

choose_pg_home() {
  local dir="$home/pg"
  mkdir -p "$dir"
  if [[ $(id -u) == 0 ]]; then
    chown "$(pg_account)" "$dir"
    if ! as_pg test -w "$dir"; then
      rmdir "$dir"
      dir=$(mktemp -d "${TMPDIR:-/tmp}/passmuster-test-pg.XXXXXX")
      chown "$(pg_account)" "$dir"
    fi
  fi
  chmod 700 "$dir"
  printf '%s\n' "$dir" >"$home/pg-home"
}

pg_running() {
  local dir
  dir=$(pg_home)
  [[ -n $dir && -s $home/pg-url ]] && as_pg "$1/pg_ctl" status -D "$dir/data" >/dev/null 2>&1
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_pg() {
  local bin dir password port tries=0
  if ! bin=$(find_pg_bin); then
    apt_install postgresql
    bin=$(find_pg_bin) || die "PostgreSQL was installed, but initdb is nowhere under /usr/lib/postgresql"
  fi
  if pg_running "$bin"; then
    say "PostgreSQL runs already"
    return 0
  fi

  # A new cluster each time: nothing of an earlier run can help or hurt, and it takes a second.
  drop_pg
  choose_pg_home
  dir=$(pg_home)
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$password" | as_pg tee "$dir/password" >/dev/null # the folder is closed to others
  as_pg "$bin/initdb" -D "$dir/data" -U passmuster -A password --pwfile="$dir/password" \
    -E UTF8 --locale=C --no-sync >"$logs/initdb.log" 2>&1 || die "initdb failed, see $logs/initdb.log"
  as_pg rm "$dir/password"
  as_pg tee -a "$dir/data/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
CONF

  while :; do
    port=$((20000 + RANDOM % 12000))
    tries=$((tries + 1))
    if port_is_free "$port" &&
      as_pg "$bin/pg_ctl" start -D "$dir/data" -w -t 60 -s -o "-p $port" -l "$dir/server.log" >"$logs/pg_ctl.log" 2>&1; then
      break
    fi
    [[ $tries -lt 5 ]] || die "PostgreSQL does not start, see $dir/server.log"
  done
  (umask 077 && printf 'postgres://passmuster:%s@127.0.0.1:%s/postgres\n' "$password" "$port" >"$home/pg-url")
  say "PostgreSQL $("$bin/postgres" --version | grep -oE '[0-9]+(\.[0-9]+)*' | head -n 1) started on 127.0.0.1:$port"
}

drop_pg() {
  local dir
  dir=$(pg_home)
  if [[ -n $dir ]]; then
    rm -rf -- "$dir"
  fi
  rm -f "$home/pg-home" "$home/pg-url" "$home/env"
}

stop_pg() {
  local bin dir
  dir=$(pg_home)
  [[ -n $dir ]] || return 0
  bin=$(find_pg_bin) || return 0
  if pg_running "$bin"; then
    as_pg "$bin/pg_ctl" stop -D "$dir/data" -m immediate -w -t 60 -s || die "PostgreSQL does not stop, its data is in $dir"
    say "PostgreSQL stopped"
  fi
  drop_pg
}

# ---- Chromium -------------------------------------------------------------------------------

find_chromium() {
  chromium=${PASSMUSTER_TEST_CHROMIUM:-$(first_command chromium chromium-browser google-chrome google-chrome-stable)} || return 1
  chromedriver=${PASSMUSTER_TEST_CHROMEDRIVER:-$(first_command chromedriver /usr/lib/chromium/chromedriver /usr/lib/chromium-browser/chromedriver)} || return 1
}

prepare_chromium() {
  if ! find_chromium; then
    apt_install chromium chromium-driver fonts-liberation
    find_chromium || die "Chromium was installed, but chromium or chromedriver is not to be found"
  fi
  say "Chromium: $chromium, $chromedriver"
}

# ---- Python ---------------------------------------------------------------------------------

# Python 3.11 or newer that can make a venv with pip in it. A shim that stands first in PATH may not.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
    if candidate=$(command -v "$candidate") && "$candidate" -c 'import ensurepip, tomllib, venv' >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

prepare_python() {
  local python stamp
  stamp=$(cksum <"$peers/requirements.txt")
  if [[ -x $home/venv/bin/python && -f $home/venv/stamp && $(<"$home/venv/stamp") == "$stamp" ]] &&
    "$home/venv/bin/python" -c '' 2>/dev/null; then
    say "Python packages are there already"
    return 0
  fi
  if ! python=$(find_python); then
    apt_install python3 python3-venv
    python=$(find_python) || die "needs Python 3.11 or newer with venv; $(python3 --version 2>&1) will not do"
  fi
  rm -rf "$home/venv"
  "$python" -m venv "$home/venv" >"$logs/venv.log" 2>&1 || die "no Python venv, see $logs/venv.log"
  "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    -r "$peers/requirements.txt" >"$logs/pip.log" 2>&1 || die "pip install failed, see $logs/pip.log"
  printf '%s\n' "$stamp" >"$home/venv/stamp"
  say "Python packages installed into .test/venv"
}

# ---- Node -----------------------------------------------------------------------------------

node_will_do() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null
}

prepare_node() {
  local stamp
  if ! node_will_do; then
    apt_install nodejs npm
    node_will_do || die "needs Node 18 or newer with npm; $(node --version 2>&1) will not do"
  fi
  stamp=$(cat "$peers/package.json" "$peers/package-lock.json" | cksum)
  if [[ -f $home/node/stamp && $(<"$home/node/stamp") == "$stamp" ]]; then
    say "Node packages are there already"
    return 0
  fi
  rm -rf "$home/node"
  mkdir -p "$home/node"
  cp "$peers/package.json" "$peers/package-lock.json" "$peers/.npmrc" "$home/node/"
  (cd "$home/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$logs/npm.log" 2>&1 ||
    die "npm ci failed, see $logs/npm.log"
  printf '%s\n' "$stamp" >"$home/node/stamp"
  say "Node packages installed into .test/node"
}

# ---- the whole ------------------------------------------------------------------------------

write_env() {
  mkdir -p "$home/artifacts"
  (
    umask 077
    {
      printf 'export PASSMUSTER_TEST_PG_URL=%q\n' "$(<"$home/pg-url")"
      printf 'export PASSMUSTER_TEST_CHROMIUM=%q\n' "$chromium"
      printf 'export PASSMUSTER_TEST_CHROMEDRIVER=%q\n' "$chromedriver"
      printf 'export PASSMUSTER_TEST_PYTHON=%q\n' "$home/venv/bin/python"
      printf 'export PASSMUSTER_TEST_NODE_DIR=%q\n' "$home/node"
      printf 'export PASSMUSTER_TEST_ARTIFACTS=%q\n' "$home/artifacts"
    } >"$home/env"
  )
  say "environment written to .test/env"
}

start() {
  mkdir -p "$logs"
  prepare_chromium
  prepare_python
  prepare_node
  start_pg
  write_env
}

run() {
  [[ $# -gt 0 ]] || die "run what? scripts/test-env.sh run CMD ..."
  local bin status=0
  # Who started the cluster by hand keeps it; otherwise it goes whatever happens here.
  if ! { bin=$(find_pg_bin) && pg_running "$bin"; }; then
    trap stop_pg EXIT
  fi
  rm -rf "$home/artifacts"
  start
  # shellcheck source=/dev/null
  . "$home/env"
  "$@" || status=$?
  say "screenshots and other artifacts of this run: .test/artifacts"
  return "$status"
}

case ${1:-} in
  start) start ;;
  stop) stop_pg ;;
  run)
    shift
    run "$@"
    ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    [[ ${1:-} == help || ${1:-} == --help ]] || exit 2
    ;;
esac
