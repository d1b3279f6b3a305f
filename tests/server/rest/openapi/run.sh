#!/bin/bash
# run.sh FOLDER DOCUMENT: check.mjs with the packages in FOLDER. Without them, or without Node, it says so and ends with
# 77, which ctest shows as skipped.
set -euo pipefail
command -v node >/dev/null || { echo "skipped: there is no node; tools/dev test installs it"; exit 77; }
[ -d "$1/node_modules/@seriousme" ] || { echo "skipped: the validator is not installed; tools/dev test does it"; exit 77; }
exec node "$(cd "$(dirname "$0")" && pwd)/check.mjs" "$@"
