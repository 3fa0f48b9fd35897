#!/usr/bin/env bash
# Builds the native library with clang's sanitizers and runs its C++ tests under them: addresses and undefined
# behaviour in build/native-sanitized, threads in build/native-threads. Then every fuzz target has a short, seeded
# run; FUZZ_SECONDS sets the length of each (the long runs are make soak-native's).
#   scripts/sanitize.sh [build]     build: only build what fuzzes, run nothing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TMPDIR=$PWD/var/tmp
. scripts/checks.sh
mkdir -p var/tmp var/fuzz
seconds=${FUZZ_SECONDS:-15}

# build_with FOLDER OPTION...
build_with() {
  local folder=$1
  shift
  quietly cmake -S native -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ \
    -DKENLM_ROOT="$PWD/build/kenlm" -DPython_EXECUTABLE="$PWD/.venv/bin/python" -DSPEECHMILL_TESTS=ON "$@"
  quietly cmake --build "$folder"
}

say "building the native library with address and undefined-behaviour sanitizers"
build_with build/native-sanitized -DSPEECHMILL_FUZZ=ON -DSPEECHMILL_SANITIZE=ON
[ "${1:-}" != build ] || exit 0
ctest --test-dir build/native-sanitized --output-on-failure --no-tests=error
say "building the native library with the thread sanitizer"
build_with build/native-threads -DSPEECHMILL_SANITIZE=thread
TSAN_OPTIONS=halt_on_error=1 ctest --test-dir build/native-threads --output-on-failure --no-tests=error
build/native-sanitized/make_seeds var/fuzz
for target in build/native-sanitized/fuzz_*; do
  [ -f "$target" ] && [ -x "$target" ] || continue
  name=$(basename "$target")
  mkdir -p "var/fuzz/$name"
  say "fuzzing $name for $seconds s"
  quietly "$target" -seed=1 -max_total_time="$seconds" -rss_limit_mb=2048 -artifact_prefix="var/fuzz/$name-" "var/fuzz/$name"
done
