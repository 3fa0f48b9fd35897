#!/usr/bin/env bash
# Makes the environments of the tools that ours is measured against or that open our exports: build/peers/NAME for every
# NAME on the command line, versions pinned in benchmarks/*/peers/NAME.txt. One that stands is left as it is. pyctcdecode
# needs numpy below 2; lhotse brings torch (5 GB).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TMPDIR=$PWD/var/tmp UV_CACHE_DIR=$PWD/var/cache/uv UV_HTTP_TIMEOUT=300
. scripts/checks.sh
mkdir -p var/tmp build/peers
index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "${PIP_INDEX_URL:-$index}" ] || export UV_DEFAULT_INDEX=${PIP_INDEX_URL:-$index}
for name in "$@"; do
  list=$(ls benchmarks/*/peers/"$name".txt)
  hash=$(sha256sum "$list" | cut -c1-16)
  [ ! -e "build/peers/$name/made-$hash" ] || continue
  say "making the environment of the peer $name"
  rm -rf "build/peers/$name"
  quietly .venv/bin/uv venv --python .venv/bin/python "build/peers/$name"
  quietly .venv/bin/uv pip install --python "build/peers/$name/bin/python" -r "$list"
  touch "build/peers/$name/made-$hash"
done
