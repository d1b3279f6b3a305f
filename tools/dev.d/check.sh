# shellcheck shell=bash
# The deep look: the suite under sanitizers, the linters, and how much of the deciding code the tests reach.

readonly CHECKS=(format lint asan tsan coverage)
declare -rA CHECK_LOOKS_AT=(
  [format]="whether all C++ is as clang-format writes it"
  [lint]="clang-tidy over all C++ that is delivered, shellcheck over the shell"
  [asan]="the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer"
  [tsan]="the whole suite under ThreadSanitizer"
  [coverage]="branches of workflows/ and the codecs that the tests beside them reach"
)

# gave TEXT: what a part found, for the table at the end.
gave() { printf '%s\n' "$*" >"$LOGS/check.gave"; }

# check_knows [PART…]: before anything is installed for them.
check_knows() {
  local part
  for part in "$@"; do
    [[ " ${CHECKS[*]} " == *" $part "* ]] || fail "check knows ${CHECKS[*]}, not '$part'"
  done
}

# check [PART…]: each part goes to its end, whatever the others found; the last lines say which held, how long it took, and
# what it gave.
check() {
  local parts=("$@") part started status lines=() failed=()
  [ ${#parts[@]} -gt 0 ] || parts=("${CHECKS[@]}")
  mkdir -p "$LOGS"
  for part in "${parts[@]}"; do
    say "check $part: ${CHECK_LOOKS_AT[$part]}"
    started=$SECONDS status=0
    gave ""
    # In a subshell that stops at its first error, which `|| status=$?` would forbid.
    set +e
    (set -e; "check_$part")
    status=$?
    set -e
    [ "$status" -ne 130 ] || exit 130
    [ "$status" -eq 0 ] || failed+=("$part")
    lines+=("$(printf '%-9s %-9s %4s min %02d s  %s' "$part" "$([ "$status" -eq 0 ] && echo held || echo 'NOT HELD')" \
      $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$(<"$LOGS/check.gave")")")
  done
  say "check"
  printf '    %s\n' "${lines[@]}"
  [ ${#failed[@]} -eq 0 ] || fail "did not hold: ${failed[*]}" "one alone: tools/dev check ${failed[0]}"
}

check_format() {
  format --check
  gave "all C++ of the tree"
}

# checked_suite FOLDER [REGEX]: the suite, and in the table how many of it passed.
checked_suite() {
  local status=0
  run_suite "$@" | tee "$LOGS/$(basename "$1").suite.log" || status=$?
  gave "$(sed -n 's/^.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\2 tests, \1 failed/p' "$LOGS/$(basename "$1").suite.log"
    ), $(grep -c '\*\*\*Skipped' "$LOGS/$(basename "$1").suite.log" || true) skipped"
  return "$status"
}

# check_sanitized NAME SANITIZERS: builds into build-NAME and runs the suite there. A first finding ends a program. The
# whole suite, but simulations and crashes with fewer seeds and cycles: instrumented code is 5 to 15 times slower.
check_sanitized() {
  local folder=$ROOT/build-$1
  configure "$folder" -DCMAKE_BUILD_TYPE=Release -DSMSFLOW_SANITIZE="$2"
  step "build-$1" "build with -fsanitize=$2" ninja -C "$folder" -j "$(jobs)"
  peers_fetch "$folder"
  export DEV_SIM_SEEDS=${DEV_SIM_SEEDS:-20}
  say "test with -fsanitize=$2, $DEV_SIM_SEEDS seeds"
  checked_suite "$folder" || fail "the suite failed under -fsanitize=$2" "one test alone: build-$1/tests/NAME"
}

# tests/lsan.supp names what packages of Debian leak.
check_asan() {
  ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1 \
    LSAN_OPTIONS=print_suppressions=0:suppressions=$ROOT/tests/lsan.supp \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 check_sanitized asan address,undefined
}

# The packages of Debian are not built with TSan: tests/tsan_sync.cc and tests/tsan_threads.cc tell it how they synchronise, tests/tsan.supp
# which findings in them are none.
check_tsan() {
  TSAN_OPTIONS="halt_on_error=1:ignore_noninstrumented_modules=1:second_deadlock_stack=1:suppressions=$ROOT/tests/tsan.supp" check_sanitized tsan thread
}

# The rules for C++ are in .clang-tidy at the root.
check_lint() {
  step shellcheck "lint the shell" shellcheck -x tools/dev deploy/container/install-libraries .ci/run
  configure "$BUILD" -DCMAKE_BUILD_TYPE=Release
  step build "build what is generated, and the plugin" ninja -C "$BUILD" -j "$(jobs)" proto_stored proto_services own_code_only
  find ids crypto workflows smpp storage engine kafka logging toml metrics server gateway tools -name '*.cc' | sort >"$LOGS/lint.files"
  dpkg-query -W "${PACKAGES[@]}" >"$LOGS/lint.rules"
  step lint "lint $(wc -l <"$LOGS/lint.files") files of C++" \
    xargs -a "$LOGS/lint.files" python3 -B tools/dev.d/lint.py "$BUILD" "$(jobs)" "$LOGS/lint.rules"
  gave "$(wc -l <"$LOGS/lint.files") files of C++, no finding"
}

# The tests beside workflows/ and the codecs. What only a test far away reaches, nobody would miss here.
readonly COVERAGE_TESTS=(ids_test delivery_slots_test delivery_scenarios_test delivery_reports_test delivery_walk_test
  delivery_table_test delivery_codec_test submission_table_test submission_reports_test submission_scenarios_test
  golden_test journal_test records_test accounts_rows_test engine_reader_test)

# By clang, which counts the conditions as they are written; gcc counts what it made of them, cleanups included. Which
# parts are measured, and the least that each must reach, stands in tools/dev.d/coverage.py.
check_coverage() {
  local folder=$ROOT/build-coverage regex objects
  configure "$folder" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping"
  step build-coverage "build the tests of workflows/ and the codecs" \
    ninja -C "$folder" -j "$(jobs)" "${COVERAGE_TESTS[@]}"
  rm -rf "$folder/profile"
  regex=$(IFS='|' && echo "^(${COVERAGE_TESTS[*]})$")
  say "test"
  LLVM_PROFILE_FILE=$folder/profile/%p.profraw checked_suite "$folder" "$regex" ||
    fail "a test failed" "it alone: build-coverage/tests/NAME"
  llvm-profdata merge -o "$folder/profile/all" "$folder"/profile/*.profraw
  mapfile -t objects < <(printf -- "-object\n$folder/tests/%s\n" "${COVERAGE_TESTS[@]}")
  # Its log warns of inline functions that one test uses and another does not: counted is what the first reached.
  llvm-cov export -instr-profile "$folder/profile/all" "${objects[@]:1}" >"$folder/coverage.json" 2>"$LOGS/llvm-cov.log"
  gave "$(python3 -B tools/dev.d/coverage.py --short "$folder/coverage.json")"
  say "what was reached, and the least that is asked for"
  python3 -B tools/dev.d/coverage.py "$folder/coverage.json" || fail "a part is reached less than it was" \
    "a test that reaches it, or no such branch"
}

# crash_smpp [ARGUMENT…]: the same of a gateway that submits over SMPP; with its own driver.
crash_smpp() {
  python3 -B "$ROOT/tests/gateway/smpp_crash.py" "$BUILD/bin" "$@" || fail "the run did not hold" "its seed is above: --seed repeats the choices"
}

# crash [ARGUMENT…]: real processes, killed at random moments; `--help` of the driver lists what there is.
crash() {
  "$BUILD/tests/crash_driver" "$@" || fail "the run did not hold" "its seed is above: --seed repeats the choices"
}

# bench [ARGUMENT…]: for the workload kafka a broker is started, unless one is named.
bench() {
  local broker='' status=0
  if [[ " $* " == *" --workload kafka "* && " $* " != *" --kafka "* ]]; then
    broker=$(mktemp -d /var/tmp/smsflow-bench-broker.XXXXXX)
    kafka_up "$broker" 0 900 >&2
    set -- "$@" --kafka "$(<"$broker/address")" --kafka-down "kill -KILL \$(cat '$broker/pid')" \
      --kafka-up "'$ROOT/tools/dev' kafka up --installed --dir '$broker' --port 0 --for 900 >&2"
  fi
  "$BUILD/bin/smsflow-bench" "$@" || status=$?
  if [ -n "$broker" ]; then
    kafka_down "$broker" yes >&2
    rm -rf "$broker"
  fi
  return "$status"
}
