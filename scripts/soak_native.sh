#!/usr/bin/env bash
# `make soak-native`: every fuzz target of the native library in turn, with address and undefined-behaviour
# sanitizers, from the corpus that earlier runs left in var/fuzz. Prints executions, coverage, corpus and crashes.
#   SEED=1       libFuzzer's seed
#   SOAK_SECONDS=N for each target (HOURS=H stands for H * 3600); 600 without either
#   TARGETS=...  names of targets instead of all, e.g. TARGETS="fuzz_npy fuzz_decode"
# Ends with 1 when a target crashed; the input that did it lies beside its corpus as <target>-crash-….
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export TMPDIR=$PWD/var/tmp
. scripts/checks.sh
seconds=${SOAK_SECONDS:-$(awk "BEGIN { print int(${HOURS:-0} * 3600) }")}
[ "$seconds" -gt 0 ] || seconds=600
seed=${SEED:-1}
build=build/native-sanitized
FUZZ_SECONDS=0 scripts/sanitize.sh build
mkdir -p var/fuzz
$build/make_seeds var/fuzz
failed=0
printf '%-22s %14s %10s %10s %10s %8s %9s\n' target executions per_second coverage features corpus crashes
for target in $(cd $build && ls -d fuzz_* | sort); do
  [ -f "$build/$target" ] && [ -x "$build/$target" ] || continue
  [ -z "${TARGETS:-}" ] || [[ " $TARGETS " == *" $target "* ]] || continue
  mkdir -p "var/fuzz/$target"
  log=$TMPDIR/soak-$target.log
  status=0
  nice "$build/$target" -seed="$seed" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=60 -print_final_stats=1 \
    -artifact_prefix="var/fuzz/$target-" "var/fuzz/$target" >"$log" 2>&1 || status=$?
  crashes=$(grep -c 'Test unit written to' "$log" || true)
  last=$(grep -E 'cov: [0-9]+' "$log" | tail -n 1 || true)
  number() { sed -nE "s/.*$1: *([0-9]+).*/\1/p" <<<"$2" | tail -n 1; }
  printf '%-22s %14s %10s %10s %10s %8s %9s\n' "$target" \
    "$(number 'stat::number_of_executed_units' "$(grep number_of_executed_units "$log" || true)")" \
    "$(number 'stat::average_exec_per_sec' "$(grep average_exec_per_sec "$log" || true)")" \
    "$(number cov "$last")" "$(number ft "$last")" "$(ls "var/fuzz/$target" | wc -l)" "$crashes"
  [ $status -eq 0 ] || { failed=1; grep -E 'ERROR|SUMMARY|Test unit written to' "$log" >&2 || tail -n 5 "$log" >&2; }
done
exit $failed
