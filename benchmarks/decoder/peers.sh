#!/usr/bin/env bash
# Makes one environment for each decoder that ours is measured against: build/peers/NAME, versions pinned in
# peers/NAME.txt. An environment that stands is left as it is. pyctcdecode needs numpy below 2.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export TMPDIR=$PWD/var/tmp UV_CACHE_DIR=$PWD/var/cache/uv
. scripts/checks.sh
mkdir -p var/tmp build/peers
index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "${PIP_INDEX_URL:-$index}" ] || export UV_DEFAULT_INDEX=${PIP_INDEX_URL:-$index}
for list in benchmarks/decoder/peers/*.txt; do
  name=$(basename "$list" .txt)
  hash=$(sha256sum "$list" | cut -c1-16)
  [ ! -e "build/peers/$name/made-$hash" ] || continue
  say "making the environment of the peer $name"
  rm -rf "build/peers/$name"
  quietly .venv/bin/uv venv --python .venv/bin/python "build/peers/$name"
  quietly .venv/bin/uv pip install --python "build/peers/$name/bin/python" -r "$list"
  touch "build/peers/$name/made-$hash"
done
