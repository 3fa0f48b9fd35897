#!/usr/bin/env bash
# Runs an aarch64 program of the sysroot (or one built against it) on this machine: scripts/cross/run.sh PROGRAM [ARGUMENT…]
set -euo pipefail
sysroot=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/aarch64/sysroot
exec qemu-aarch64-static -L "$sysroot" "$@"
