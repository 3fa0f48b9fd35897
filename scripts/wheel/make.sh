#!/usr/bin/env bash
# Makes wheels in dist/: for each processor of ARCH and each interpreter of PYTHONS.
#   ARCH='x86_64 aarch64' PYTHONS='.venv/bin/python python3.12' scripts/wheel/make.sh
# Default: x86-64, the checkout's own Python. The cross compiler is installed through apt-get where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
. scripts/checks.sh
arch_list=${ARCH:-x86_64}
pythons=${PYTHONS:-.venv/bin/python}
[ "$(uname -m)" = x86_64 ] || { echo "wheel: wheels are built on x86-64, for both processors" >&2; exit 2; }
case " $arch_list " in *" aarch64 "*)
  missing=$(missing_packages g++-aarch64-linux-gnu qemu-user-static)
  if [ -n "$missing" ]; then
    check_root "$missing"
    say "installing system packages: $(echo $missing)"
    install_packages $missing
  fi ;;
esac
for python in $pythons; do
  for arch in $arch_list; do
    say "building the wheel for $arch and $("$python" --version)"
    scripts/wheel/native.sh "$arch" "$(command -v "$python")"
    .venv/bin/python -m scripts.wheel.pack --arch "$arch" --python "$(command -v "$python")"
  done
done
