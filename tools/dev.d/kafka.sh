# shellcheck shell=bash
# A real Kafka to develop and test against: Apache Kafka, KRaft, one node, on loopback alone. Its jars come from Maven
# Central, or from wherever this machine's Maven settings send it, once; they are checked against kafka/jars.sha256.
#
# A broker lives in a folder: its configuration, data, log, process id, and `address`, the host:port that clients take.

readonly KAFKA_SOURCE=$ROOT/tools/dev.d/kafka

# What is kept between checkouts; nothing in it is needed twice.
kafka_cache() {
  local cache=${SMSFLOW_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/smsflow}
  echo "$cache/kafka-$(sha256sum <"$KAFKA_SOURCE/jars.sha256" | cut -c1-12)"
}

# The jars are there, and are those that were pinned.
kafka_fetched() { [ -f "$1/.checked" ]; }

# kafka_fetch_into FOLDER: in a folder of its own first, so that what was interrupted is never taken for whole.
kafka_fetch_into() {
  local folder=$1 fresh
  mkdir -p "$(dirname "$folder")"
  fresh=$(mktemp -d "$folder.XXXXXX")
  mkdir "$fresh/pom" && cp "$KAFKA_SOURCE/pom.xml" "$fresh/pom/pom.xml"
  if ! timeout 420 mvn -q -B -f "$fresh/pom/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$fresh/libs" -DincludeScope=runtime || ! (cd "$fresh/libs" && sha256sum --quiet --strict -c "$KAFKA_SOURCE/jars.sha256"); then
    rm -rf "$fresh"
    return 1
  fi
  touch "$fresh/.checked"
  # Another may have been faster.
  mv -T "$fresh" "$folder" 2>/dev/null || rm -rf "$fresh"
  kafka_fetched "$folder"
}

# kafka_fetch: says nothing when there is nothing to do.
kafka_fetch() {
  local folder
  folder=$(kafka_cache)
  kafka_fetched "$folder" || step kafka-fetch "fetch Apache Kafka with Maven (46 jars, 44 MB)" kafka_fetch_into "$folder"
}

# kafka_java: the version of the Java that is here, empty when there is none or one that is too old.
kafka_java() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) || true
  [[ ! $version =~ ^[0-9]+$ ]] || [ "$version" -lt 17 ] || echo "$version"
}

# kafka_pid FOLDER: the process id of its broker, if that runs; a number that was given to another process since is none.
kafka_pid() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "kafka.Kafka $1/server.properties" && echo "$pid"
}

# kafka_answers PORT
kafka_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# kafka_ports FOLDER PORT: "broker controller". They stay what they were, for data that was written knows them.
kafka_ports() {
  local folder=$1 port=$2
  [ -s "$folder/ports" ] || python3 - "$port" >"$folder/ports" <<'PYTHON'
import random, socket, sys

# Where there is room below those that the system gives by itself: the broker binds them seconds later, and whenever it is
# started again.
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as ports:
    end = max(int(ports.read().split()[0]), 12_000)

def is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

asked = int(sys.argv[1])
ports = [asked] if asked else []
while len(ports) < 2:
    port = random.randrange(10_000, end)
    if port not in ports and is_free(port):
        ports.append(port)
print(*ports)
PYTHON
  cat "$folder/ports"
}

# On one node every number of replicas is 1. Topics are made by who owns them: a typing error must not make one.
kafka_configure() {
  local folder=$1 port=$2 controller=$3
  cat >"$folder/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data
num.partitions=4
auto.create.topics.enable=false
delete.topic.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
PROPERTIES
}

# The words of a command line that runs a class of Kafka's, into KAFKA_JAVA.
kafka_command() {
  KAFKA_JAVA=(java -Xms64m -Xmx"${KAFKA_HEAP:-256m}" -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn
    -Dorg.slf4j.simpleLogger.showDateTime=true -cp "$(kafka_cache)/libs/*")
}

# A folder is formatted once; a second time would be refused.
kafka_format() {
  local folder=$1 id
  [ ! -f "$folder/data/meta.properties" ] || return 0
  id=$("${KAFKA_JAVA[@]}" kafka.tools.StorageTool random-uuid 2>/dev/null)
  "${KAFKA_JAVA[@]}" kafka.tools.StorageTool format -t "$id" -c "$folder/server.properties"
}

# kafka_start FOLDER SECONDS PORT: returns when the broker listens. With SECONDS above 0 it ends by itself after them.
kafka_start() {
  local folder=$1 seconds=$2 port=$3 began=$SECONDS pid limit=()
  [ "$seconds" -eq 0 ] || limit=(timeout --kill-after=10 "$seconds")
  # The folder's lock is this shell's: a broker that held it would keep everybody out.
  setsid nohup "${limit[@]}" "${KAFKA_JAVA[@]}" kafka.Kafka "$folder/server.properties" \
    >>"$folder/broker.log" 2>&1 </dev/null 9>&- &
  pid=$!
  while [ $((SECONDS - began)) -lt 120 ]; do
    # Behind `timeout` the broker is its child.
    if [ "$seconds" -eq 0 ]; then echo "$pid" >"$folder/pid"; else tr -d ' ' <"/proc/$pid/task/$pid/children" >"$folder/pid" || true; fi
    if kafka_answers "$port" && kafka_pid "$folder" >/dev/null; then
      echo "127.0.0.1:$port" >"$folder/address.new" && mv "$folder/address.new" "$folder/address"
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  tail -n 15 "$folder/broker.log" >&2
  fail "Kafka did not start" "its last words are above; all of them are in $folder/broker.log"
}

# kafka_up FOLDER PORT SECONDS
kafka_up() {
  local folder=$1 port=$2 seconds=$3 ports
  [ -n "$(kafka_java)" ] || fail "Kafka needs Java 17 or later, and there is none" "tools/dev setup installs it"
  mkdir -p -m 0700 "$folder"
  exec 9>"$folder/lock"
  flock -w 90 9 || fail "another tools/dev kafka is at work in $folder"
  if kafka_pid "$folder" >/dev/null; then
    say "Kafka runs already (pid $(kafka_pid "$folder")) at $(<"$folder/address")"
    return 0
  fi
  kafka_fetch
  read -ra ports < <(kafka_ports "$folder" "$port")
  [ "$port" -eq 0 ] || [ "${ports[0]}" -eq "$port" ] ||
    fail "the broker in $folder was made for port ${ports[0]}, not $port" "tools/dev kafka down --wipe forgets it"
  ! kafka_answers "${ports[0]}" || fail "port ${ports[0]} is taken by another program" "tools/dev kafka up --port N takes another"
  kafka_configure "$folder" "${ports[@]}"
  kafka_command
  kafka_format "$folder" >"$folder/format.log" 2>&1 || fail "Kafka's storage cannot be made" "$(tail -n 3 "$folder/format.log")"
  kafka_start "$folder" "$seconds" "${ports[0]}"
  say "Kafka runs (pid $(kafka_pid "$folder")) at $(<"$folder/address"); its data and log are in ${folder#"$ROOT"/}/"
}

# kafka_down FOLDER WIPE: asks, waits as long as a graceful stop may take, then insists.
kafka_down() {
  local folder=$1 wipe=$2 pid
  if pid=$(kafka_pid "$folder"); then
    kill -TERM "$pid" 2>/dev/null || true
    for _ in {1..200}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    say "Kafka has stopped"
  else
    say "no Kafka runs in ${folder#"$ROOT"/}/"
  fi
  rm -f "$folder/pid" "$folder/address"
  if [ -n "$wipe" ] && [ -f "$folder/server.properties" ]; then
    rm -rf "${folder:?}/data" "$folder/ports" "$folder/server.properties" "$folder/broker.log" "$folder/format.log" "$folder/lock"
    say "and its data is gone"
  fi
}

kafka_status() {
  local folder=$1 pid
  if ! pid=$(kafka_pid "$folder"); then
    say "no Kafka runs in ${folder#"$ROOT"/}/"
    return 3
  fi
  say "Kafka runs (pid $pid) at $(<"$folder/address"), $(awk '/^VmRSS:/ {print int($2 / 1024)}' "/proc/$pid/status") MB of memory," \
    "$(du -sm "$folder/data" | cut -f1) MB of data in ${folder#"$ROOT"/}/"
}

# What ctest takes for a test that was skipped.
readonly KAFKA_SKIPPED=77

# kafka up|down|status|fetch [--dir FOLDER] [--port N] [--for SECONDS] [--wipe] [--installed]
kafka() {
  local verb=${1:-} folder=$ROOT/run/kafka port='' seconds=0 wipe='' installed=
  [ $# -eq 0 ] || shift
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) [ -n "${2:-}" ] || fail "--dir wants a folder"; folder=$(realpath -m "$2"); shift 2 ;;
      --port) [[ ${2:-} =~ ^[0-9]{1,5}$ ]] || fail "--port wants a port, or 0 for any that is free, not '${2:-}'"; port=$2; shift 2 ;;
      --for) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--for wants a number of seconds, not '${2:-}'"; seconds=$2; shift 2 ;;
      --wipe) wipe=yes; shift ;;
      --installed) installed=yes; shift ;;  # of the tests: installs nothing
      *) fail "kafka knows --dir FOLDER, --port N, --for SECONDS and --wipe, not '$1'" ;;
    esac
  done
  case $verb in
    up)
      # A folder that has a port keeps it, unless another is asked for.
      [ -n "$port" ] || port=$(cut -d' ' -f1 "$folder/ports" 2>/dev/null) || port=9092
      if [ -n "$installed" ] && [ -z "$(kafka_java)" ]; then
        say "skipped: there is no Java 17 or later, hence no Kafka to test against; tools/dev setup installs it"
        exit "$KAFKA_SKIPPED"
      fi
      [ -n "$installed" ] || setup kafka
      kafka_up "$folder" "$port" "$seconds"
      ;;
    down) kafka_down "$folder" "$wipe" ;;
    status) kafka_status "$folder" ;;
    fetch) setup kafka; kafka_fetch ;;
    *) fail "kafka knows up, down, status and fetch, not '$verb'" "tools/dev kafka up [--dir FOLDER] [--port N] [--for SECONDS]" ;;
  esac
}
