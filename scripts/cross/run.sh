#!/usr/bin/env bash
# Runs an aarch64 program of the sysroot (or one built against it) on this machine: scripts/cross/run.sh PROGRAM [ARGUMENT…]
# QEMU names another qemu than the static one (the dynamic one takes plugins).
set -euo pipefail
sysroot=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/aarch64/sysroot
exec "${QEMU:-qemu-aarch64-static}" -L "$sysroot" "$@"
