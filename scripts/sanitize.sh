#!/usr/bin/env bash
# Builds the native library with clang's address and undefined-behaviour sanitizers, runs its C++ tests under them, and
# gives every fuzz target a short, seeded run. FUZZ_SECONDS sets the length of each (the long runs are make soak-native's).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TMPDIR=$PWD/var/tmp
. scripts/checks.sh
mkdir -p var/tmp var/fuzz
seconds=${FUZZ_SECONDS:-15}
quietly cmake -S native -B build/native-sanitized -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ \
  -DCMAKE_C_COMPILER=clang -DKENLM_ROOT="$PWD/build/kenlm" -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
  -DSPEECHMILL_TESTS=ON -DSPEECHMILL_FUZZ=ON -DSPEECHMILL_SANITIZE=ON
say "building the native library with sanitizers"
quietly cmake --build build/native-sanitized
ctest --test-dir build/native-sanitized --output-on-failure --no-tests=error
for target in build/native-sanitized/fuzz_*; do
  [ -f "$target" ] && [ -x "$target" ] || continue
  name=$(basename "$target")
  mkdir -p "var/fuzz/$name"
  say "fuzzing $name for $seconds s"
  quietly "$target" -seed=1 -max_total_time="$seconds" -rss_limit_mb=2048 -artifact_prefix="var/fuzz/$name-" "var/fuzz/$name"
done
