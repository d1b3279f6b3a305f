# The deep look: the suite under sanitizers, the linter, and how much of the deciding code the tests reach.

check() {
  local parts=("$@") part
  [ ${#parts[@]} -gt 0 ] || parts=(asan tsan lint coverage)
  for part in "${parts[@]}"; do
    case $part in
      asan) check_asan ;;
      tsan) check_tsan ;;
      lint) check_lint ;;
      coverage) check_coverage ;;
      *) fail "check knows asan, tsan, lint and coverage, not '$part'" ;;
    esac
  done
}

# check_sanitized NAME SANITIZERS: builds into build-NAME and runs the suite there. A first finding ends a program.
check_sanitized() {
  local folder=$ROOT/build-$1
  configure "$folder" -DCMAKE_BUILD_TYPE=Release -DSMSFLOW_SANITIZE="$2"
  step "build-$1" "build with -fsanitize=$2" ninja -C "$folder" -j "$(jobs)"
  say "test with -fsanitize=$2"
  run_suite "$folder" || fail "the suite failed under -fsanitize=$2" "one test alone: build-$1/tests/NAME"
}

check_asan() {
  ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 check_sanitized asan address,undefined
}

# The packages of Debian are not built with TSan; tests/tsan.supp says which of their findings are none.
check_tsan() {
  TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$ROOT/tests/tsan.supp" check_sanitized tsan thread
}

# The rules are in .clang-tidy at the root.
check_lint() {
  configure "$BUILD" -DCMAKE_BUILD_TYPE=Release
  step build "build what is generated" ninja -C "$BUILD" -j "$(jobs)" proto_stored proto_services
  step lint "lint" bash -c 'find "$@" -name "*.cc" | xargs -r -n 4 -P "$(nproc)" clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option' \
    lint ids crypto workflows storage engine server gateway tools
}

check_coverage() {
  local folder=$ROOT/build-coverage
  configure "$folder" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=--coverage
  step build-coverage "build with --coverage" ninja -C "$folder" -j "$(jobs)"
  find "$folder" -name '*.gcda' -delete
  say "test with --coverage"
  run_suite "$folder" >"$LOGS/coverage-test.log" || fail "the suite failed" "see build/log/coverage-test.log"
  say "branches reached in workflows/ and the codecs"
  # Only the columns that say how much; build-coverage/branches.txt has the lines that were missed.
  gcovr --root "$ROOT" --branches --exclude-throw-branches --exclude-unreachable-branches --exclude-directories '.*/CMakeFiles/3.*' \
    --filter 'workflows/' --filter 'storage/keys' --filter 'storage/.*codec' "$folder" 2>"$LOGS/gcovr.log" |
    tee "$folder/branches.txt" | sed -n 's/^\([A-Za-z].*%\).*/\1/p'
}

# crash [ARGUMENT…]: real processes, killed at random moments; `--help` of the driver lists what there is.
crash() {
  "$BUILD/tests/crash_driver" "$@" || fail "the run did not hold" "its seed is above: --seed repeats the choices"
}

bench() {
  "$BUILD/bin/smsflow-bench" "$@"
}
