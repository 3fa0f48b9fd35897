#!/usr/bin/env bash
# Puts OpenFST (Debian's packages libfst-dev and libfst22) into build/peers/openfst, unpacked and not installed, so
# that nothing of the system changes and our own environment never holds it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
peer=build/peers/openfst
[ ! -e "$peer/ready" ] || exit 0
rm -rf "$peer" && mkdir -p "$peer/packages"
(cd "$peer/packages" && apt-get -qq download libfst-dev libfst22 2>/dev/null)
for package in "$peer"/packages/*.deb; do dpkg -x "$package" "$peer"; done
touch "$peer/ready"
