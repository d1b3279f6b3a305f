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

# site_on_smpp FOLDER: what make_site() made, with a gateway beside it that submits over SMPP to a simulated SMSC. Who is
# to be refused, or never to hear a receipt, the SMSC knows by the number.
site_on_smpp() {
  local site=$1
  (umask 077 && openssl rand -hex 32 | tr -d '\n' >"$site/gateway.token")
  sed -i -e 's/^ack_send_timeout = .*/ack_send_timeout = "5s"/' -e 's/^ack_receipt_timeout = .*/ack_receipt_timeout = "3s"/' \
    -e 's/^enabled = true/enabled = false/' "$site/smsflowd.toml"
  cat >>"$site/smsflowd.toml" <<TOML

[[key]]
name = "gateway"
sha256 = "$(sha256sum <"$site/gateway.token" | cut -d' ' -f1)"
role = "gateway"
tenants = ["demo"]
TOML
  cat >"$site/script.toml" <<'TOML'
[ids]
first = 70000
response = "hex"
receipt = "decimal"
tlv = "none"
[receipt]
delay_ms = [50, 300]
[[fault]]
kind = "early-receipt"
destination = "255700000006"
[[fault]]
kind = "drop-receipt"
destination = "255700000007"
[[fault]]
kind = "drop-response"
destination = "255700000008"
[[fault]]
kind = "drop-receipt"
destination = "255700000008"
[[fault]]
kind = "refuse"
status = 0x45
destination = "255700000009"
[[fault]]
kind = "refuse"
status = 0x0b
destination = "255700000010"
TOML
}

# start_smsc FOLDER: its process id stands in FOLDER/smsc.pid, what it was given in FOLDER/truth.jsonl.
start_smsc() {
  local site=$1 port=
  : >"$site/smsc.log"  # it is read before the SMSC's process may have made it
  env -i PATH="$PATH" setsid "$BUILD/bin/smsflow-smsc" --script "$site/script.toml" --truth "$site/truth.jsonl" \
    --listen 127.0.0.1:0 --seconds 900 >"$site/smsc.log" 2>&1 </dev/null &
  echo $! >"$site/smsc.pid"
  for _ in {1..200}; do
    port=$(sed -n 's/.*listening on port \([0-9]*\)$/\1/p' "$site/smsc.log")
    [ -z "$port" ] || break
    sleep 0.05
  done
  [ -n "$port" ] || fail "the SMSC did not start" "$(tail -n 3 "$site/smsc.log")"
  cat >"$site/smsc.toml" <<TOML
[[smsc]]
name = "simulated"
host = "127.0.0.1"
port = $port
system_id = "demo"
response_ms = 1500
TOML
}

# start_smpp_gateway FOLDER ADDRESS: once the engine runs.
start_smpp_gateway() {
  local site=$1 address=$2
  env -i PATH="$PATH" ${TZ:+TZ="$TZ"} setsid "$BUILD/bin/smsflow-gateway" --smsc "$site/smsc.toml" --engine "$address" \
    --token-file "$site/gateway.token" --gateway g1 --tenants demo --key "$site/gateway.key.pem" --store "$site/gateway" \
    --ballast-mb 0 >"$site/gateway.log" 2>&1 </dev/null &
  echo $! >"$site/gateway.pid"
  for _ in {1..200}; do
    grep -q 'bound' "$site/gateway.log" && grep -q 'attached' "$site/gateway.log" && return 0
    kill -0 "$(<"$site/gateway.pid")" 2>/dev/null || break
    sleep 0.05
  done
  tail -n 5 "$site/gateway.log" >&2
  fail "the gateway did not reach the engine and the SMSC" "its words are above, and in $site/gateway.log"
}

# stop_gateway FOLDER: and the SMSC, if there is one.
stop_gateway() { stop_by_pid "$1/gateway.pid" && stop_by_pid "$1/smsc.pid"; }

stop_by_pid() {
  local file=$1 pid
  pid=$(cat "$file" 2>/dev/null) || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for _ in {1..50}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$file"
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
