# shellcheck shell=bash
# How tools/dev speaks: one calm line per step; the whole output of a step only when it fails.

if [ -t 1 ]; then
  readonly BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
  readonly BOLD='' RED='' PLAIN=''
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }

# fail WHAT [WHAT-TO-DO]: ends the script.
fail() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  [ -z "${2:-}" ] || printf '       %s\n' "$2" >&2
  exit 1
}

# step NAME TEXT COMMAND…: runs the command with its output in build/log/NAME.log. A long one says once a minute how far
# it is, so that nobody takes it for dead; one that fails shows what it printed.
step() {
  local name=$1 text=$2 status=0 started=$SECONDS pid
  shift 2
  mkdir -p "$LOGS"
  local log=$LOGS/$name.log
  printf '%s==>%s %s' "$BOLD" "$PLAIN" "$text"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  (
    trap 'kill "$nap" 2>/dev/null; exit 0' TERM
    while sleep 60 & nap=$!; wait "$nap"; do
      printf '\n    … %s s: %s' $((SECONDS - started)) "$(tail -n 1 "$log" | cut -c1-100)"
    done
  ) &
  local clock=$!
  trap 'kill "$pid" "$clock" 2>/dev/null; trap - INT TERM; printf "\n"; exit 130' INT TERM
  wait "$pid" || status=$?
  kill "$clock" 2>/dev/null || true
  wait "$clock" 2>/dev/null || true
  trap - INT TERM
  if [ "$status" -eq 0 ]; then
    [ $((SECONDS - started)) -lt 60 ] || printf '\n    done'
    printf ' (%s s)\n' $((SECONDS - started))
    return 0
  fi
  printf ' %sfailed%s\n' "$RED" "$PLAIN"
  tail -n 80 "$log" >&2
  fail "'$*' exited with status $status" "the whole output is in ${log#"$ROOT"/}"
}
