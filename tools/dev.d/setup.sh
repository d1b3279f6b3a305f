# shellcheck shell=bash
# The Debian packages that smsflow is made of, and how they come to be installed.

# One name per line with what it is for; what a package pulls in by itself is not repeated.
readonly PACKAGES=(
  g++ cmake ninja-build mold ccache pkgconf  # the tools of the build
  libboost1.81-dev                           # MSM, mp11; not libboost-dev, whose 1.74 does not compile as C++20
  librocksdb-dev                             # storage/
  librdkafka-dev                             # kafka/
  libjemalloc-dev                            # all programs
  libgrpc++-dev protobuf-compiler-grpc       # the doors
  libprotobuf-dev protobuf-compiler          # proto/
  libabsl-dev                                # Status
  libssl-dev                                 # crypto/
  libcli11-dev libtomlplusplus-dev           # flags, configuration
  libspdlog-dev libfmt-dev nlohmann-json3-dev
  prometheus-cpp-dev                         # metrics
  libhowardhinnant-date-dev tzdata           # time zones
  libpq-dev                                  # the import from the old system's database
  libgtest-dev libgmock-dev librapidcheck-dev
  python3 python3-grpcio python3-protobuf python3-cryptography  # the house rules, the client in Python
  strace openssl curl ca-certificates git    # what tests and the demo call
)
readonly FUZZ_PACKAGES=(clang libclang-rt-14-dev)  # libFuzzer and the sanitizers beside it
readonly KAFKA_PACKAGES=(default-jre-headless maven)  # a broker for the tests, and what fetches it
readonly PEER_PACKAGES=(tshark libnet-smpp-perl)  # what SMPP is checked against, beside tests/smpp/peers/package.json
readonly POSTGRES_PACKAGES=(postgresql-common postgresql-15)  # the old system's database, for the tests of the import
readonly CHECK_PACKAGES=(clang clang-tidy clang-format libclang-rt-14-dev llvm shellcheck prometheus systemd
  clang-tidy-14 libclang-14-dev llvm-14-dev)  # what its plugin is built with: tools/dev.d/own_code_only.cc

# Prints those of the named packages that are not installed; asks dpkg only, takes milliseconds.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

install_packages() {
  local as_root=() apt=(apt-get -q -o DPkg::Lock::Timeout=300)
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  # --no-remove: Debian allows the headers of one Boost at a time, and apt would take ours away without a word.
  "${as_root[@]}" "${apt[@]}" update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-remove --no-install-recommends "$@"
}

# Debian starts a database of its own with PostgreSQL, unless it is told not to before; the tests want the programs alone.
install_postgres() {
  local as_root=() config=/etc/postgresql-common/createcluster.conf
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  install_packages postgresql-common &&
    "${as_root[@]}" sed -i 's/^#\? *create_main_cluster.*/create_main_cluster = false/' "$config" &&
    install_packages "${POSTGRES_PACKAGES[@]}"
}

# setup [fuzz|check|kafka|peers|postgres]…: installs what is missing; says nothing when nothing is.
setup() {
  local wanted=("${PACKAGES[@]}") missing
  [[ " $* " != *" fuzz "* ]] || wanted+=("${FUZZ_PACKAGES[@]}")
  [[ " $* " != *" check "* ]] || wanted+=("${CHECK_PACKAGES[@]}")
  [[ " $* " != *" kafka "* ]] || wanted+=("${KAFKA_PACKAGES[@]}")
  if [[ " $* " == *" peers "* ]]; then
    wanted+=("${PEER_PACKAGES[@]}")
    command -v npm >/dev/null || wanted+=(nodejs npm)
  fi
  # On a machine that has a PostgreSQL nothing is changed.
  local postgres=''
  [[ " $* " != *" postgres "* ]] || [ -x /usr/lib/postgresql/15/bin/initdb ] || postgres=missing
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "this is not Debian: there is no apt-get" "smsflow is built on Debian 12; deploy/ has a container file for other systems"
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ ${#missing[@]} -gt 0 ] || [ -n "$postgres" ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "packages are missing, and installing them needs root or sudo" \
      "as root: apt-get install --no-remove --no-install-recommends ${missing[*]} ${postgres:+${POSTGRES_PACKAGES[*]}}"
  fi
  grep -q '^VERSION_ID="12"' /etc/os-release 2>/dev/null || say "note: this is not Debian 12, where smsflow is at home"
  # The password is asked for before the output goes into a log.
  [ "$(id -u)" -eq 0 ] || sudo -v || fail "sudo was refused" "as root: tools/dev setup"
  [ ${#missing[@]} -eq 0 ] || step setup "install ${#missing[@]} Debian packages" install_packages "${missing[@]}"
  [ -z "$postgres" ] || step postgres "install PostgreSQL for the tests" install_postgres
}

# peers_fetch BUILD: the peers in JavaScript, pinned. Without a registry their tests are skipped and say so: nothing else needs them.
peers_fetch() {
  peers_into "$1/peers" tests/smpp/peers SMPP
  peers_into "$1/peers-envelope" tests/crypto/peers envelope
  peers_into "$1/openapi" tests/server/rest/openapi OpenAPI
}

# peers_into FOLDER PACKAGES WHAT
peers_into() {
  cmp -s "$2/package-lock.json" "$1/installed.json" ||
    (step peers "install the $3 peers in JavaScript" tests/smpp/peers/install.sh "$1" "$2") ||
    say "note: the $3 peers could not be installed; their tests will be skipped"
}
