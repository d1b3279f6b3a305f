# The simulator, the fuzzers and the proof, for as long as asked.

# sim [--gateway | --kafka | --pair] [ARGUMENT…]: see tests/sim/sim_main.cc, and tests/sim/seeds.h.
sim() {
  case ${1:-} in
    --gateway | --kafka | --pair) "$BUILD/tests/sim_${1#--}_campaign" "${@:2}" ;;
    *) "$BUILD/tests/sim_campaign" "$@" ;;
  esac
}

# fuzz [--seconds S] [NAME…]: each fuzzer for S seconds (60), all when none is named. What they learn is kept, and a finding
# too.
fuzz() {
  local seconds=60 names=() name found=$BUILD/fuzz/found failed=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--seconds wants a number of seconds, not '${2:-}'"; seconds=$2; shift 2 ;;
      -*) fail "fuzz knows --seconds S and names of fuzzers, not '$1'" ;;
      *) names+=("$1"); shift ;;
    esac
  done
  [ ${#names[@]} -gt 0 ] || mapfile -t names < <(find tests/fuzz -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz.cc$//' | sort)
  for name in "${names[@]}"; do
    [ -f "tests/fuzz/${name}_fuzz.cc" ] || fail "there is no fuzzer '$name'" "tests/fuzz/ has $(find tests/fuzz -name '*_fuzz.cc' -printf '%f ' | sed 's/_fuzz.cc//g')"
  done
  for name in "${names[@]}"; do
    say "fuzz $name for $seconds s"
    SMSFLOW_FUZZ_NEW=$found tests/fuzz/run.sh "$BUILD/fuzz/fuzz" "$name" "$seconds" || failed+=("$name")
  done
  [ ${#failed[@]} -eq 0 ] || fail "broken: ${failed[*]}" "${found#"$ROOT"/}/ keeps the input, and its program takes it as its argument"
}

# proof [--hours H] [--seed S] [--report FILE] [--page FILE]: all of the above and the crash runs, in turns. Its own exit
# code tells whether all held.
proof() { exec python3 -B tools/dev.d/proof.py "$@" "$BUILD"; }
