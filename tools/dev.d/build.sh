# shellcheck shell=bash
# Building, testing, formatting.

# How many compilers at once: one per core, but a gigabyte and a half of memory for each.
jobs() {
  local cores memory_kb
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  local fit=$((memory_kb / 1500000))
  [ "$fit" -ge 1 ] || fit=1
  echo $((fit < cores ? fit : cores))
}

# configure FOLDER [CMAKE-OPTION…]
configure() {
  local folder=$1
  shift
  step "configure-$(basename "$folder")" "configure ${folder#"$ROOT"/}" cmake -S "$ROOT" -B "$folder" -G Ninja "$@"
}

# build [TARGET…]: Release, into build/.
build() {
  configure "$BUILD" -DCMAKE_BUILD_TYPE=Release
  step build "build ${*:-everything}" ninja -C "$BUILD" -j "$(jobs)" "$@"
}

# run_suite FOLDER [REGEX]: ctest with its summary; a suite in which nothing ran has failed.
run_suite() {
  local folder=$1 regex=${2:-}
  ctest --test-dir "$folder" -j2 --output-on-failure --no-tests=error ${regex:+-R "$regex"} </dev/null |
    sed -u -e '/^ *Start /d' -e '/^Internal ctest changing/d'
}

# They are instrumented, so they are built apart, by clang; see tests/fuzz/CMakeLists.txt.
build_fuzzers() {
  step fuzzers "build the fuzzers" ninja -C "$BUILD" fuzzers
}

# run_tests [REGEX]
run_tests() {
  build
  if [ -z "${1:-}" ] || ctest --test-dir "$BUILD" -N -R "$1" | grep ': fuzz_' >/dev/null; then build_fuzzers; fi
  say "test"
  run_suite "$BUILD" "${1:-}" || fail "a test failed" "again, alone: tools/dev test NAME"
}

# The C++ of the house, without what is generated.
sources() {
  find ids crypto workflows smpp storage engine kafka logging toml metrics server gateway tools tests \( -name '*.cc' -o -name '*.h' \) -print | sort
}

format() {
  local mode=${1:-} found
  setup check
  case $mode in
    '') sources | xargs -r clang-format -i ;;
    --check)
      found=$(sources | xargs -r clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9].*/\1/p' | sort -u)
      [ -z "$found" ] || fail "not formatted: $(tr '\n' ' ' <<<"$found")" "tools/dev fmt mends it"
      ;;
    *) fail "fmt knows only --check" ;;
  esac
}
