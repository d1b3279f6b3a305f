#!/bin/bash
# run.sh FOLDER NAME SECONDS: one fuzzer, from its corpus on; one line when all held. SMSFLOW_FUZZ_NEW names a folder to
# keep what it learns and what it breaks on.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1/$2_fuzz
[ -x "$program" ] || { echo "$program is not there: ninja fuzzers builds it" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
keep=${SMSFLOW_FUZZ_NEW:-$scratch}
mkdir -p "$keep/$2"
"$here/corpus.py" unpack "$here/corpus/$2.txt" "$scratch/corpus"
# The libraries of Debian do not tell ASan where their containers end.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if "$program" "$keep/$2" "$scratch/corpus" -max_total_time="$3" -timeout=10 -rss_limit_mb=1024 -max_len=2048 \
  -artifact_prefix="$keep/broken-$2-" >"$scratch/log" 2>&1; then
  grep -E '^Done ' "$scratch/log"
else
  # The input itself, for a folder that goes.
  grep -vE '^#[0-9]+[[:space:]]|^INFO:|NEW_FUNC|^"' "$scratch/log" | tail -40 >&2
  exit 1
fi
