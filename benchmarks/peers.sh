#!/usr/bin/env bash
# Makes the environments of the tools that ours is measured against or that open our exports: build/peers/NAME for every
# NAME on the command line, versions pinned in benchmarks/*/peers/NAME.txt. One that stands is left as it is. pyctcdecode
# needs numpy below 2; aeneas needs Debian's espeak and libespeak-dev; lhotse and nemo bring torch (5 GB). sph2pipe is on no
# package index: have it on PATH, name it by
# SPH2PIPE=path, or build its sources (LDC's, or burrmill/sph2pipe on GitHub) by one line; without it its rows are not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TMPDIR=$PWD/var/tmp UV_CACHE_DIR=$PWD/var/cache/uv UV_HTTP_TIMEOUT=300
. scripts/checks.sh
mkdir -p var/tmp build/peers
index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "${PIP_INDEX_URL:-$index}" ] || export UV_DEFAULT_INDEX=${PIP_INDEX_URL:-$index}
sph2pipe() {
  found=${SPH2PIPE:-$(command -v sph2pipe || true)}
  if [ -x build/peers/sph2pipe/sph2pipe ]; then
    return
  elif [ -n "$found" ] && [ -x "$found" ]; then
    mkdir -p build/peers/sph2pipe
    ln -sf "$(realpath "$found")" build/peers/sph2pipe/sph2pipe
  else
    say "no sph2pipe: set SPH2PIPE=path, or in its sources: gcc -O2 -o $PWD/build/peers/sph2pipe/sph2pipe *.c -lm (mkdir first)"
  fi
}
for name in "$@"; do
  if [ "$name" = sph2pipe ]; then
    sph2pipe
    continue
  fi
  list=$(ls benchmarks/*/peers/"$name".txt)
  hash=$(sha256sum "$list" | cut -c1-16)
  [ ! -e "build/peers/$name/made-$hash" ] || continue
  say "making the environment of the peer $name"
  rm -rf "build/peers/$name"
  quietly .venv/bin/uv venv --python .venv/bin/python "build/peers/$name"
  if [ "$name" = aeneas ]; then  # its set-up asks numpy for the headers, and an old setuptools: both first
    quietly .venv/bin/uv pip install --python "build/peers/$name/bin/python" $(grep -v ^aeneas "$list")
  fi
  quietly .venv/bin/uv pip install --python "build/peers/$name/bin/python" --no-build-isolation-package aeneas -r "$list"
  touch "build/peers/$name/made-$hash"
done
