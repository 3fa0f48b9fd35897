#!/usr/bin/env bash
# Builds what a wheel carries of C++ for one processor and one Python: KenLM's lmplz and build_binary, speechmill-decode and
# the extension, linked statically against all but the C library, so that they run on every Linux as new as this one.
#   scripts/wheel/native.sh x86_64|aarch64 [PYTHON]     (PYTHON: an interpreter of this machine, default .venv/bin/python)
# Results: build/wheel/ARCH/{kenlm/bin,native}. aarch64 is cross-built (scripts/cross). KenLM's sources are those of
# set-up; KENLM_SOURCE names others of the same layout, and so relinks with a KenLM of your own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
arch=${1:?x86_64 or aarch64}
python=${2:-$root/.venv/bin/python}
kenlm_source=${KENLM_SOURCE:-$root/build/kenlm/src}
[ -e "$kenlm_source/lm/model.hh" ] || { echo "wheel: no KenLM sources in $kenlm_source: run make setup" >&2; exit 2; }
kenlm_source=$(cd "$kenlm_source" && pwd)
out=$root/build/wheel/$arch
suffix=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
case $arch in
  x86_64)
    libraries=/usr/lib/x86_64-linux-gnu
    cross=() ;;
  aarch64)
    scripts/cross/sysroot.sh
    libraries=$root/build/aarch64/sysroot/usr/lib/aarch64-linux-gnu
    suffix=${suffix/x86_64/aarch64}
    headers=$root/build/aarch64/sysroot/usr/include
    include=$headers/python$("$python" -c 'import sysconfig; print(sysconfig.get_python_version())')
    # Without headers of that Python for aarch64 this machine's serve: they agree in all that pyconfig.h says here.
    [ -d "$include" ] || include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    # Debian's pyconfig.h leads to another one below the folder of the processor.
    cross=("-DCMAKE_TOOLCHAIN_FILE=$root/scripts/cross/aarch64.cmake" "-DPython_INCLUDE_DIR=$include"
      "-DCMAKE_CXX_FLAGS=-idirafter $headers") ;;
  *) echo "wheel: processor $arch is neither x86_64 nor aarch64" >&2; exit 2 ;;
esac
mkdir -p "$out"
log=$out/build.log
: >"$log"
# pybind11 is headers and plain Python: the checkout's serves every interpreter, and from one place for all builds.
own=$([ ! -x .venv/bin/python ] || .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
[ ! -d "$own/pybind11" ] || export PYTHONPATH=$own${PYTHONPATH:+:$PYTHONPATH}
build() { "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "wheel: building for $arch failed; the whole of it: $log" >&2; exit 1; }; }

# Ninja's place changes where pip brings it for every build anew; KenLM names a CMake that CMake 4 refuses.
common=(-G Ninja "-DCMAKE_MAKE_PROGRAM=$(command -v ninja)" -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_DISABLE_FIND_PACKAGE_BZip2=ON "-DZLIB_LIBRARY=$libraries/libz.a" "-DLIBLZMA_LIBRARY=$libraries/liblzma.a"
  "${cross[@]}")  # Debian's libbz2.a fits no shared library; .bz2 is Python's
static="-static-libstdc++ -static-libgcc -Wl,--gc-sections"
# A KenLM of another place is built from nothing; a changed one again where it changed.
[ "$(readlink "$out/kenlm/src" || true)" = "$kenlm_source" ] || rm -rf "$out/kenlm"
build cmake -S "$kenlm_source" -B "$out/kenlm" "${common[@]}" -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DKENLM_MAX_ORDER=6 \
  -DBUILD_TESTING=OFF -DBoost_USE_STATIC_LIBS=ON -DBoost_NO_BOOST_CMAKE=ON "-DCMAKE_EXE_LINKER_FLAGS=$static -s"
build cmake --build "$out/kenlm" --target lmplz build_binary kenlm kenlm_util
ln -sfn "$kenlm_source" "$out/kenlm/src"
build cmake -S native -B "$out/native" -U 'Python_*' -U '_Python*' -U 'PYTHON_*' -U 'pybind11_*' "${common[@]}" \
  "-DKENLM_ROOT=$out/kenlm" "-DPython_EXECUTABLE=$python" "-DPYTHON_MODULE_EXTENSION=$suffix" \
  -DPYTHON_MODULE_DEBUG_POSTFIX= -DSPEECHMILL_TESTS=OFF \
  "-DCMAKE_EXE_LINKER_FLAGS=$static -s" "-DCMAKE_MODULE_LINKER_FLAGS=$static -s"
build cmake --build "$out/native" --target speechmill-decode _core
