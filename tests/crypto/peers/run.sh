#!/bin/bash
# run.sh FOLDER SMSFLOW: envelopes against @noble/curves and @noble/ciphers, which do not rest on OpenSSL, as installed in
# FOLDER. Without them, or without Node, it says so and ends with 77, which ctest shows as skipped.
set -euo pipefail
folder=$1
command -v node >/dev/null || { echo "skipped: there is no node; tools/dev test installs it"; exit 77; }
[ -d "$folder/node_modules/@noble/curves" ] || { echo "skipped: the peers are not installed; tools/dev test does it"; exit 77; }
NODE_PATH=$folder/node_modules exec node "$(cd "$(dirname "$0")" && pwd)/noble.js" "$2"
