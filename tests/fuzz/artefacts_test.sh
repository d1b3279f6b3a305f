#!/bin/bash
# artefacts_test.sh FOLDER NAME: what a fuzzer that is run by hand breaks on, it leaves in FOLDER, and not where it is run.
set -euo pipefail
program=$1/$2_fuzz
[ -x "$program" ] || { echo "$program is not there: ninja fuzzers builds it" >&2; exit 1; }
program=$(realpath "$program") here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
rm -f "$(dirname "$program")/broken-$2-oom-"*
# More memory than that it always takes, and is stopped for it.
if "$program" -rss_limit_mb=1 -max_total_time=60 >log 2>&1; then echo "it did not break" >&2; exit 1; fi
[ "$(ls)" = log ] || { echo "it left files where it was run: $(ls)" >&2; exit 1; }
ls "$(dirname "$program")/broken-$2-oom-"* || { tail -20 log >&2; exit 1; }
rm "$(dirname "$program")/broken-$2-oom-"*
