# Checks and small helpers of scripts/setup.sh; sourced, never run. Each check either passes in silence or ends the
# set-up with one sentence that says what is wrong and what mends it. No check changes anything.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'speechmill: %s\n' "$*" >&2; exit 1; }

quietly() {  # runs a command; shows its output only when it fails
  local log
  log=$(mktemp "${TMPDIR:-/tmp}/setup.XXXXXX")
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    fail "this step failed: $* (the whole log: $log)"
  fi
  rm -f "$log"
}

missing_packages() {
  command -v dpkg-query >/dev/null || fail "this machine has no dpkg: speechmill sets itself up on Debian 12. Elsewhere install these by hand and see CONTRIBUTING.md: $*"
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done
}

check_writable() {
  [ -w "$1" ] || fail "no right to write into $1: .venv, build and var are made there. Clone the project into a directory of your own."
}

check_disk() {  # gigabytes
  local free
  free=$(df -Pk . | awk 'NR==2 {print int($4/1048576)}')
  [ "$free" -ge "$1" ] || fail "only $free GB of disk are free in $PWD, $1 GB are needed (environment, builds, demo corpora). Free some room, or clone the project onto a larger disk."
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

find_python() {  # prints the interpreter for .venv; $1: packages that will still be installed
  local candidate found
  for candidate in ${PYTHON:-/usr/bin/python3 python3.11 python3}; do
    command -v "$candidate" >/dev/null || continue
    found=$(python_version "$candidate")
    [ "$found" != 3.11 ] || { command -v "$candidate"; return; }
  done
  case " $(echo $1) " in *" python3 "*) [ -n "${PYTHON:-}" ] || { echo /usr/bin/python3; return; } ;; esac
  fail "Python 3.11 is needed (requirements.lock is made for it), found ${found:-none}. On Debian 12 it is the package python3; elsewhere name one: make PYTHON=/path/to/python3.11"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

check_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && return
  fail "system packages are missing and there is no root to install them. Run this once, then make again: sudo apt-get install --no-install-recommends $(echo $1)"
}

check_network() {  # $1 missing system packages, $2 interpreter
  local trial uri
  trial=$(mktemp -d)
  if [ -n "$1" ]; then
    uri=$(apt-get update --print-uris 2>/dev/null | sed -n "s/^'\([^']*InRelease\)'.*/\1/p" | head -n 1)
    if [ -n "$uri" ] && ! /usr/lib/apt/apt-helper -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 download-file "$uri" "$trial/release" >/dev/null 2>&1; then
      rm -rf "$trial"
      fail "no network: the package source ${uri%/dists/*} cannot be reached, and system packages are missing. Check the connection or the proxy (/etc/apt/apt.conf.d)."
    fi
  else
    local wheel
    wheel=$(ls /usr/share/python-wheels/pip-*.whl 2>/dev/null | head -n 1)
    if ! PYTHONPATH=${wheel:-} "$2" -m pip --disable-pip-version-check --retries 1 --timeout 30 download -q --no-cache-dir --no-deps --require-hashes \
        -r scripts/bootstrap.lock -d "$trial" >/dev/null 2>&1; then
      rm -rf "$trial"
      fail "no network: Python's package index cannot be reached, and the Python environment is not complete. Check the connection or the proxy (HTTPS_PROXY, pip.conf)."
    fi
  fi
  rm -rf "$trial"
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

check_port() {  # only a port that was asked for must be free; otherwise the launcher takes the next free one
  [ -n "${SPEECHMILL_PORT:-}" ] || return 0
  if port_taken "$SPEECHMILL_PORT" && ! python_airflow_runs_here; then
    fail "port $SPEECHMILL_PORT on 127.0.0.1 is taken by another program. Name a free one: make demo SPEECHMILL_PORT=8090 (without it the next free one from 8080 is used)."
  fi
}

python_airflow_runs_here() {
  [ -x .venv/bin/python ] && .venv/bin/python -m launcher status --json 2>/dev/null | grep -q '"running": *true'
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  quietly as_root apt-get update -qq
  quietly as_root apt-get install -y -qq --no-install-recommends "$@"
}
