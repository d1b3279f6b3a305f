#!/bin/bash
# run.sh FOLDER SCRIPT [ARGUMENT…]: a check against a peer, with the packages in FOLDER. Without them, or without Node,
# it says so and ends with 77, which ctest shows as skipped.
set -euo pipefail
folder=$1 script=$2
shift 2
command -v node >/dev/null || { echo "skipped: there is no node; tools/dev test installs it"; exit 77; }
[ -d "$folder/node_modules/smpp" ] || { echo "skipped: the peers are not installed; tools/dev test does it"; exit 77; }
NODE_PATH=$folder/node_modules exec node "$(cd "$(dirname "$0")" && pwd)/$script" "$@"
