#!/bin/bash
# install.sh FOLDER [PACKAGES]: the peers in JavaScript, as PACKAGES/package-lock.json pins them (this folder's when left
# out), into FOLDER/node_modules. Does nothing when they are there already.
set -euo pipefail
here=$(cd "${2:-$(dirname "$0")}" && pwd)
mkdir -p "$1"
if cmp -s "$here/package-lock.json" "$1/installed.json"; then exit 0; fi
cp "$here/package.json" "$here/package-lock.json" "$1/"
npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
cp "$1/package-lock.json" "$1/installed.json"
