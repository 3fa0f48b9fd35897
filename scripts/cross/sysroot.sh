#!/usr/bin/env bash
# Unpacks Debian 12's arm64 packages that the native library and KenLM are built with, and an arm64 Python to run them
# under qemu-user, into build/aarch64/sysroot. Nothing is installed; the machine's own package lists stay as they are.
# Needs the packages g++-aarch64-linux-gnu and qemu-user-static; a second call takes no time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD/build/aarch64
packages="zlib1g-dev libbz2-dev liblzma-dev libboost1.74-dev libboost-program-options1.74-dev libboost-system1.74-dev
  libboost-thread1.74-dev libboost-test1.74-dev libpython3.11-dev
  libc6 libgcc-s1 libstdc++6 zlib1g libbz2-1.0 liblzma5 libexpat1 libffi8 libssl3 libuuid1 libtinfo6 libncursesw6
  libreadline8 libsqlite3-0 libdb5.3 libnsl2 libtirpc3 libcrypt1 python3.11-minimal python3.11
  libpython3.11-minimal libpython3.11-stdlib"
cores=4
stamp=$root/sysroot/.ready-$(echo $packages $cores | sha256sum | cut -c1-12)
[ ! -e "$stamp" ] || exit 0
for program in aarch64-linux-gnu-g++ qemu-aarch64-static; do
  command -v $program >/dev/null || { echo "cross: $program is missing: apt-get install g++-aarch64-linux-gnu qemu-user-static" >&2; exit 2; }
done
apt="$root/apt"
rm -rf "$root/sysroot" "$apt"
mkdir -p "$root/sysroot" "$apt"/{lists/partial,cache/archives/partial,debs}
: >"$apt/status"
options="-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State=$apt -o Dir::State::status=$apt/status
  -o Dir::State::lists=$apt/lists -o Dir::Cache=$apt/cache -o APT::Sandbox::User=root"
apt-get $options update
(cd "$apt/debs" && apt-get $options download $(printf '%s ' $packages))
for package in "$apt"/debs/*.deb; do dpkg-deb -x "$package" "$root/sysroot"; done
rm -rf "$apt"
# qemu-user shows this machine's own /proc and /sys where the sysroot has nothing of that name; programs that look there for
# an aarch64 processor (ONNX Runtime's cpuinfo) fall over what they find.
mkdir -p "$root"/sysroot/proc "$root"/sysroot/sys/devices/system/cpu
for ((core = 0; core < cores; core++)); do
  printf '%s\n' "processor	: $core" "Features	: fp asimd evtstrm crc32 cpuid" "CPU implementer	: 0x41" \
    "CPU architecture: 8" "CPU variant	: 0x0" "CPU part	: 0xd08" "CPU revision	: 3" ""
done >"$root/sysroot/proc/cpuinfo"
for name in possible present online; do echo "0-$((cores - 1))" >"$root/sysroot/sys/devices/system/cpu/$name"; done
touch "$stamp"
