#!/usr/bin/env bash
# Brings a machine to the state in which speechmill runs: system packages, Python environment, KenLM, native library.
#   scripts/setup.sh [--all] [--demo]
#     --all   also what the heavier checks need (Slurm, PostgreSQL, Chromium, clang)
#     --demo  also check what `make demo` needs before anything is changed (the port)
# Everything is checked first and changed afterwards; every finished step leaves a stamp under build/, so a second call
# takes a second. Writes only .venv, build and var (and system packages through apt-get). It builds no documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
unset TMPDIR  # the Makefile points it at var/tmp, which is made only after the checks
stamps=build/stamps
all= demo=
for argument in "$@"; do
  case $argument in
    --all) all=1 ;;
    --demo) demo=1 ;;
    *) echo "setup: unknown option $argument (known: --all, --demo)" >&2; exit 2 ;;
  esac
done
. scripts/checks.sh

packages="build-essential cmake ninja-build ca-certificates python3 python3-dev python3-venv zlib1g-dev libbz2-dev liblzma-dev
  libboost-program-options-dev libboost-system-dev libboost-thread-dev libboost-test-dev
  sox libsox-fmt-mp3 ffmpeg espeak-ng libsndfile1"
[ -z "$all" ] || packages="$packages chromium chromium-driver clang clang-format libclang-rt-14-dev slurm-wlm postgresql"
lock_hash=$(cat requirements.lock scripts/bootstrap.lock setup.cfg $([ "${GPU:-}" = 1 ] && echo requirements-gpu.lock) | sha256sum | cut -c1-16)
kenlm_version=$(sed -nE 's/^kenlm==([0-9.]+) .*/\1/p' scripts/kenlm.lock)
kenlm_max_order=6

missing=$(missing_packages $packages)
wheels_due= kenlm_due=
[ -e "$stamps/wheels-$lock_hash" ] && [ -x .venv/bin/python ] || wheels_due=1
[ -e "$stamps/kenlm-$kenlm_version-$kenlm_max_order" ] || kenlm_due=1

# --- checks: nothing is changed before all of them have passed ---
check_writable "$root"
[ -z "$missing$wheels_due$kenlm_due" ] || check_disk 8
python=$(find_python "$missing")
[ -z "$missing" ] || check_root "$missing"
[ -z "$missing$wheels_due$kenlm_due" ] || check_network "$missing" "$python"
[ -z "$demo" ] || check_port

# --- changes ---
mkdir -p "$stamps" var/tmp
export TMPDIR=$root/var/tmp
if [ -n "$missing" ]; then
  say "installing system packages: $(echo $missing)"
  install_packages $missing
  python=$(find_python "")
fi
if [ -n "$wheels_due" ]; then
  say "making the Python environment .venv from requirements.lock"
  rm -f "$stamps"/wheels-*
  [ -x .venv/bin/pip ] || { rm -rf .venv; "$python" -m venv .venv; }
  quietly .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r scripts/bootstrap.lock
  index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  [ -z "${PIP_INDEX_URL:-$index}" ] || export UV_DEFAULT_INDEX=${PIP_INDEX_URL:-$index}
  export UV_CACHE_DIR=$root/var/cache/uv VIRTUAL_ENV=$root/.venv UV_HTTP_TIMEOUT=180
  quietly .venv/bin/uv pip install --require-hashes -r requirements.lock
  if [ "${GPU:-}" = 1 ]; then
    say "putting TensorFlow with CUDA in the place of tensorflow-cpu (requirements-gpu.lock, 3 GB)"
    quietly .venv/bin/uv pip uninstall tensorflow-cpu
    quietly .venv/bin/uv pip install --require-hashes --no-deps -r requirements-gpu.lock
  fi
  # Our packages are found where they stand, behind the installed ones; no build, nothing copied.
  echo "$root" >"$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/speechmill.pth"
  rm -rf var/cache/uv
  touch "$stamps/wheels-$lock_hash"
fi
if [ ! -x .venv/bin/speechmill ]; then
  printf '#!%s\nimport sys\n\nfrom native.command import main\n\nsys.exit(main())\n' "$root/.venv/bin/python" >.venv/bin/speechmill
  chmod +x .venv/bin/speechmill
fi
if [ -n "$kenlm_due" ]; then
  say "building KenLM $kenlm_version (tools and library)"
  rm -rf build/kenlm build/kenlm-download
  mkdir -p build/kenlm build/kenlm-download
  quietly .venv/bin/python -m pip download --disable-pip-version-check --no-deps --no-binary kenlm --require-hashes \
    -r scripts/kenlm.lock -d build/kenlm-download
  mkdir build/kenlm/src
  tar xzf "build/kenlm-download/kenlm-$kenlm_version.tar.gz" -C build/kenlm/src --strip-components=1
  quietly cmake -S build/kenlm/src -B build/kenlm -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DKENLM_MAX_ORDER=$kenlm_max_order -DBUILD_TESTING=OFF
  quietly cmake --build build/kenlm --target lmplz build_binary query kenlm kenlm_util kenlm_builder
  touch "$stamps/kenlm-$kenlm_version-$kenlm_max_order"
fi
native_library=$(ls build/native/python/_core*.so 2>/dev/null | head -n 1 || true)
# The TensorFlow op is built for the TensorFlow that is installed, and not at all without one.
tensorflow_version=$(ls -d .venv/lib/python3*/site-packages/tensorflow*.dist-info 2>/dev/null |
  sed -nE 's:.*/tensorflow(_cpu)?-([0-9][^/]*)\.dist-info$:\2:p' | head -n 1 || true)
op_due=
[ -z "$tensorflow_version" ] || [ -e "build/native/python/speechmill_ctc_op-tf$tensorflow_version.so" ] || op_due=1
if [ -z "$native_library" ] || [ -n "$op_due" ] || [ -n "$(find native -newer "$native_library" -type f \( -name '*.cpp' -o -name '*.h' -o -name CMakeLists.txt \) -print -quit)" ]; then
  say "building the native library"
  op_options=
  [ -z "$op_due" ] || op_options="-DSPEECHMILL_TF_OP=ON -DSPEECHMILL_TF_VERSION="  # asks that TensorFlow for its flags
  [ -e build/native/build.ninja ] && [ -z "$op_options" ] || quietly cmake -S native -B build/native -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DKENLM_ROOT="$root/build/kenlm" -DPython_EXECUTABLE="$root/.venv/bin/python" \
    -DSPEECHMILL_TESTS=ON $op_options
  quietly cmake --build build/native
  touch "$(ls build/native/python/_core*.so | head -n 1)"
fi
