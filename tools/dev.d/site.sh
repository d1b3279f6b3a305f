# shellcheck shell=bash
# A site to play with: a folder with a configuration, a token and a gateway's key, and smsflowd running on it.

# make_site FOLDER ADDRESS METRICS: everything that smsflowd and its clients need. It is quick, so that a life takes seconds:
# production waits ten minutes after a failure, and a day for a receipt.
make_site() {
  local site=$1 address=$2 metrics=$3
  mkdir -p -m 0700 "$site"
  # Clients act for tenants that are named; what concerns all of them (verify, drain) takes a credential for none alone.
  (umask 077 && openssl rand -hex 32 | tr -d '\n' >"$site/token" && openssl rand -hex 32 | tr -d '\n' >"$site/admin.token")
  "$BUILD/bin/smsflow" keygen "$site/gateway" >"$site/keygen.log"
  cat >"$site/smsflowd.toml" <<TOML
data = "$site/data"
reflection = true

[listen]
grpc = "$address"
metrics = "$metrics"
plaintext = true

[engine]
ballast = "8MB"

[delivery]
wait_after_fail = "200ms"
ack_send_timeout = "1s"
ack_receipt_timeout = "1s"
probe = "1s"
max_jitter = "0ms"
max_attempts = 2

# The gateway inside smsflowd: it opens envelopes, sends nothing, and reports what the text asks for.
[loopback]
enabled = true
keys = ["$site/gateway.key.pem"]
tenants = ["demo"]
delay = "100ms"
long_delay = "400ms"

[[key]]
name = "you"
sha256 = "$(sha256sum <"$site/token" | cut -d' ' -f1)"
role = ["client", "admin"]
tenants = ["demo"]

[[key]]
name = "administrator"
sha256 = "$(sha256sum <"$site/admin.token" | cut -d' ' -f1)"
role = "admin"
TOML
}

# site_on_kafka FOLDER BROKERS: what make_site() made, over Kafka: the gateway is a process of its own, and what takes a
# broker and two hops more may take longer.
site_on_kafka() {
  local site=$1 brokers=$2
  sed -i -e 's/^ack_send_timeout = .*/ack_send_timeout = "5s"/' -e 's/^ack_receipt_timeout = .*/ack_receipt_timeout = "3s"/' \
    -e 's/^probe = .*/probe = "3s"/' -e 's/^enabled = true/enabled = false/' "$site/smsflowd.toml"
  cat >>"$site/smsflowd.toml" <<TOML

[kafka]
servers = "$brokers"
gateways = ["loopback"]
TOML
}

# start_gateway FOLDER BROKERS: its process id stands in FOLDER/gateway.pid.
start_gateway() {
  local site=$1 brokers=$2
  env -i PATH="$PATH" ${TZ:+TZ="$TZ"} setsid "$BUILD/bin/smsflow-gateway" --loopback --kafka "$brokers" --gateway loopback \
    --tenants demo --key "$site/gateway.key.pem" --store "$site/gateway" --ballast-mb 0 --normal-delay-ms 100 \
    --long-delay-ms 400 >"$site/gateway.log" 2>&1 </dev/null &
  echo $! >"$site/gateway.pid"
  for _ in {1..600}; do
    grep -q 'announced on' "$site/gateway.log" && return 0
    kill -0 "$(<"$site/gateway.pid")" 2>/dev/null || break
    sleep 0.05
  done
  tail -n 5 "$site/gateway.log" >&2
  fail "the gateway did not reach Kafka" "its words are above, and in $site/gateway.log"
}

stop_gateway() {
  local site=$1 pid
  pid=$(cat "$site/gateway.pid" 2>/dev/null) || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for _ in {1..50}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$site/gateway.pid"
}

# start_site FOLDER: returns when it is ready; its process id stands in FOLDER/pid.
start_site() {
  local site=$1 pid before
  : >"$site/ready"
  : >>"$site/smsflowd.log"
  before=$(wc -l <"$site/smsflowd.log")
  # Not from this shell's environment: SMSFLOW_… there is meant for the client.
  env -i PATH="$PATH" ${TZ:+TZ="$TZ"} setsid "$BUILD/bin/smsflowd" --config "$site/smsflowd.toml" \
    >"$site/ready" 2>>"$site/smsflowd.log" </dev/null &
  pid=$!
  echo "$pid" >"$site/pid"
  for _ in {1..200}; do
    grep -q '^smsflowd ready' "$site/ready" && return 0
    if ! kill -0 "$pid" 2>/dev/null; then
      rm -f "$site/pid"
      tail -n "+$((before + 1))" "$site/smsflowd.log" | tail -n 5 >&2
      fail "smsflowd did not start" "its words are above, and in $site/smsflowd.log"
    fi
    sleep 0.05
  done
  stop_site "$site"
  fail "smsflowd is not ready after 10 s" "see $site/smsflowd.log"
}

# site_pid FOLDER: the process id of its smsflowd, if that runs; a number that was given to another process since is none.
site_pid() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$1/smsflowd.toml" && echo "$pid"
}

# stop_site FOLDER: asks, waits as long as a graceful stop may take, then insists.
stop_site() {
  local site=$1 pid
  pid=$(site_pid "$site") || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for _ in {1..120}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$site/pid"
}
