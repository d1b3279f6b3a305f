#!/bin/bash
# run.sh FOLDER NAME SECONDS: one fuzzer, from its corpus on; one line when all held. SMSFLOW_FUZZ_NEW names a folder to
# keep what it learns and what it breaks on; SMSFLOW_FUZZ_SEED decides where it goes, else chance does.
set -euo pipefail
# The longest input of each: beyond what its reader has to take, so that a bound that is missing shows. Others: 4 KB.
declare -A LONGEST=([api_json]=65536 [attach]=65536 [config]=65536 [csv]=65536 [envelope]=32768 [gateway_config]=65536
  [http]=65536 [inbound]=16384 [java_text]=16384 [kafka]=65536 [log_end]=65536 [old_envelope]=32768 [paths]=16384 [pdus]=65536
  [receipts]=16384 [received]=65536 [records]=65536 [request]=65536 [routes_config]=65536 [script]=65536 [slots]=16384 [sms_json]=65536
  [smsc_config]=65536 [texts]=16384 [tokens]=16384 [vault]=16384)
here=$(cd "$(dirname "$0")" && pwd)
program=$1/$2_fuzz
[ -x "$program" ] || { echo "$program is not there: ninja fuzzers builds it" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
keep=${SMSFLOW_FUZZ_NEW:-$scratch}
mkdir -p "$keep/$2"
"$here/corpus.py" unpack "$here/corpus/$2.txt" "$scratch/corpus"
# The libraries of Debian do not tell ASan where their containers end.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=1:quarantine_size_mb=32 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
# What an input may cost of the processor stands in bounds.cc; -timeout is for what hangs, on a machine that is busy. Without
# -entropic=0 libFuzzer takes most of the time for itself where there are many branches.
if "$program" "$keep/$2" "$scratch/corpus" -max_total_time="$3" -timeout=20 -rss_limit_mb=512 -malloc_limit_mb=128 \
  -max_len="${LONGEST[$2]:-4096}" -entropic=0 -seed="${SMSFLOW_FUZZ_SEED:-0}" \
  -artifact_prefix="$keep/broken-$2-" >"$scratch/log" 2>&1; then
  grep -E '^Done ' "$scratch/log"
else
  # The input itself, for a folder that goes.
  grep -vE '^#[0-9]+[[:space:]]|^INFO:|NEW_FUNC|^"' "$scratch/log" | tail -40 >&2
  exit 1
fi
