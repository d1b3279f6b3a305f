# shellcheck shell=bash
# The demo: a clinic schedules a batch, some of it meant to go wrong, and every SMS must end as this table says.

# key, slots, target, the text (whose code tells the loopback gateway what to report), how it must end
demo_rows() {
  cat <<'ROWS'
visit-01 +0+1m    patient-01 Your visit is on Monday at 9.                        DELIVERED
visit-02 +0+1m    patient-02 Your visit is on Monday at 10.                       DELIVERED
visit-03 +0+1m    patient-03 Your visit is on Monday at 11.                       DELIVERED
visit-04 +2+1m    patient-04 Soon: the slot opens in two seconds.                 DELIVERED
visit-05 +3+1m    patient-05 Soon: the slot opens in three seconds.               DELIVERED
early-06 +0+1m    patient-06 D1S1 the receipt overtakes the word that it was sent DELIVERED
quiet-07 +0+1m    patient-07 S1D0 sent, but no receipt ever comes                 UNCONFIRMED
mute-08  +0+7s    patient-08 S0D0 the gateway takes it and never says a word      UNKNOWN
fails-09 +0+1m    patient-09 FAIL fails at each of its two attempts               EXPIRED
wrong-10 +0+1m    patient-10 S0I1 the network says that it can never go           INVALID
past-11  -2h-1h   patient-11 Its only slot has passed.                            EXPIRED
block-12 +0+1m    patient-12 Its target wants no more messages.                   BLOCKED
stop-13  +30s+1m  patient-13 Cancelled before its slot.                           CANCELED
ROWS
}

# Turns the rows into the file that `smsflow import` reads, and into "key state" lines of what is expected.
demo_files() {
  python3 - "$1" <<'PYTHON'
import csv, re, sys, time

folder, now = sys.argv[1], int(time.time())
seconds = {"s": 1, "m": 60, "h": 3600}

def instant(text):
    number, unit = re.fullmatch(r"([+-]\d+)([smh]?)", text).groups()
    return now + int(number) * seconds.get(unit, 1)

with open(f"{folder}/rows.txt", encoding="utf-8") as rows, \
        open(f"{folder}/batch.csv", "w", newline="", encoding="utf-8") as batch, \
        open(f"{folder}/expected.txt", "w", encoding="utf-8") as expected:
    out = csv.writer(batch)
    out.writerow(["key", "target", "at", "to", "sender", "text"])
    for number, row in enumerate(rows, 1):
        key, slot, target, text, end = re.fullmatch(r"(\S+)\s+(\S+)\s+(\S+)\s+(.*?)\s+(\S+)\n", row).groups()
        start, length = re.fullmatch(r"([+-]\d+[smh]?)([+-]\d+[smh]?)", slot).groups()
        begin = instant(start)
        till = instant(length) if slot.startswith("-") else begin + instant(length) - now
        out.writerow([key, target, f"{begin}-{till}", f"+2557{number:08d}", "Clinic", text])
        expected.write(f"{key} {end}\n")
PYTHON
}

# Compares what `smsflow list --csv` says with what is expected; prints one line per SMS.
demo_verdict() {
  python3 - "$1" <<'PYTHON'
import csv, sys

folder = sys.argv[1]
with open(f"{folder}/list.csv", encoding="utf-8", newline="") as file:
    found = {row["key"]: row for row in csv.DictReader(file)}
wrong = 0
with open(f"{folder}/expected.txt", encoding="utf-8") as file:
    for key, end in map(str.split, file):
        row = found.pop(key, {"state": "missing", "attempts": "0", "cause": ""})
        wrong += row["state"] != end
        attempts = row["attempts"] + (" attempt " if row["attempts"] == "1" else " attempts")
        verdict = "as it should" if row["state"] == end else "EXPECTED " + end
        print(f"    {key:<9} {row['state']:<12} {attempts}  {row['cause']:<16} {verdict}")
sys.exit(1 if wrong or found else 0)
PYTHON
}

smsflow() { "$BUILD/bin/smsflow" "$@"; }

demo_schedule() {
  smsflow import "$1/batch.csv" --batch demo --pubkey "$1/gateway.pub.pem" >"$1/schedule.log" 2>&1 &&
    smsflow cancel --key stop-13 >>"$1/schedule.log" 2>&1
}

demo_end() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "${SCHEDULER:-}" ] || kill "$SCHEDULER" 2>/dev/null || true
  stop_site "$SITE"
  stop_gateway "$SITE"
  if [ -d "$SITE/kafka" ]; then kafka_down "$SITE/kafka" '' >/dev/null; fi
  if [ "$status" -eq 1 ]; then printf 'what is left of it, to look into: %s\n' "$SITE" >&2; else rm -rf "$SITE"; fi
  exit "$status"
}

# The same over Kafka: a broker, the engine, and the gateway, which meet nowhere else.
demo_kafka() {
  local brokers
  kafka_up "$SITE/kafka" 0 600
  brokers=$(<"$SITE/kafka/address")
  site_on_kafka "$SITE" "$brokers"
  say "make the topics: smsflow doctor --kafka $brokers --make-topics 4"
  # The engine does not run yet, and doctor says that too.
  smsflow doctor --kafka "$brokers" --make-topics 4 >"$SITE/doctor.log" 2>&1 || true
  grep -q 'send-sms' "$SITE/doctor.log" || fail "the topics cannot be made" "$(tail -n 3 "$SITE/doctor.log")"
  say "start smsflow-gateway, which takes its work from send-sms and reports on sms-status, and sends nothing (loopback)"
  start_gateway "$SITE" "$brokers"
}

# The same over SMPP: engine, gateway and SMSC are three processes.
demo_smpp() {
  site_on_smpp "$SITE"
  say "start smsflow-smsc, an SMSC that sends nothing to anybody, and does wrong by some numbers"
  start_smsc "$SITE"
}

# demo [kafka|smpp]
demo() {
  local started=$SECONDS count id late='' patience=20s over=${1:-}
  if [ "$over" = kafka ] && [ -z "$(kafka_java)" ]; then
    say "skipped: there is no Java 17 or later, hence no Kafka; tools/dev setup installs it"
    exit "$KAFKA_SKIPPED"
  fi
  SITE=$(mktemp -d "${TMPDIR:-/tmp}/smsflow-demo.XXXXXX")
  trap demo_end EXIT
  trap 'exit 130' INT TERM
  trap 'exit 141' PIPE  # the reader went away, as head does
  make_site "$SITE" "unix:$SITE/grpc.sock" ""
  export SMSFLOW_ADDRESS="unix:$SITE/grpc.sock" SMSFLOW_TOKEN SMSFLOW_TENANT=demo
  SMSFLOW_TOKEN=$(<"$SITE/token")
  if [ -n "$over" ]; then
    patience=60s
    "demo_$over"
    say "start smsflowd: an engine and its store"
  else
    say "start smsflowd: an engine, its store, and a gateway inside it that sends nothing (loopback)"
  fi
  start_site "$SITE"
  if [ "$over" = smpp ]; then
    say "start smsflow-gateway, which opens the envelopes and submits over SMPP"
    start_smpp_gateway "$SITE" "$SMSFLOW_ADDRESS"
  fi

  # With a gateway beside it the mute one's slot is longer: its attempt must be with the gateway before it ends.
  demo_rows | sed "${over:+s/+0+7s /+0+12s/}" >"$SITE/rows.txt"
  demo_files "$SITE"
  count=$(wc -l <"$SITE/rows.txt")
  say "block patient-12, then schedule $count SMSes, each sealed here for the gateway's key: the engine never sees number or text"
  smsflow block patient-12 >/dev/null
  demo_schedule "$SITE" &
  SCHEDULER=$!
  # On a terminal a table that redraws itself, else a line per transition; it ends when all have ended.
  smsflow watch --batch demo --live --expect "$count" --for "$patience" || late=1
  wait "$SCHEDULER" || fail "the batch was not taken" "$(tail -n 3 "$SITE/schedule.log")"
  SCHEDULER=
  [ -z "$late" ] || say "$patience were not enough: some have not ended yet"

  smsflow list --batch demo --all --csv >"$SITE/list.csv"
  say "how each ended"
  demo_verdict "$SITE" || fail "not every SMS ended as it should"
  id=$(smsflow list --key fails-09 --csv | sed -n 's/^\([0-9a-f-]\{36\}\),.*/\1/p')
  if [ "$over" = smpp ]; then
    say "what the SMSC itself wrote down: $(grep -c '"event":"submit"' "$SITE/truth.jsonl") submits," \
      "$(grep '"event":"submit"' "$SITE/truth.jsonl" | grep -c '"status":0,') of them taken"
  fi
  say "the life of fails-09, as its journal tells it: smsflow journal $id"
  smsflow journal "$id"
  say "decide every life anew with today's code, and compare: smsflow replay --all"
  smsflow replay --all
  demo_next
  say "done in $((SECONDS - started)) s; nothing is left running"
}

demo_next() {
  cat <<TEXT

What to try next:
  tools/dev up            leaves such a site running and prints how to reach it; then, in that shell:
    smsflow schedule --at +1m --target me --to +255700000001 --sender Me --text Hello --pubkey run/gateway.pub.pem
    smsflow watch         every transition as it happens
    smsflow why ID        what an SMS is waiting for
    smsflow journal ID    its whole life
  tools/dev down          ends it

TEXT
}

up() {
  local site=$ROOT/run
  if site_pid "$site" >/dev/null; then
    say "smsflowd runs already (pid $(site_pid "$site"))"
  else
    [ -f "$site/smsflowd.toml" ] || make_site "$site" 127.0.0.1:7070 127.0.0.1:7071
    export SMSFLOW_ADDRESS=127.0.0.1:7070 SMSFLOW_TOKEN
    SMSFLOW_TOKEN=$(<"$site/token")
    start_site "$site"
    say "smsflowd runs (pid $(site_pid "$site")); its data and log are in run/, metrics at http://127.0.0.1:7071/metrics"
  fi
  cat <<TEXT

export SMSFLOW_ADDRESS=127.0.0.1:7070
export SMSFLOW_TOKEN=$(<"$site/token")
export SMSFLOW_TENANT=demo
export PATH=$BUILD/bin:\$PATH

Paste these four lines, then try: smsflow doctor. tools/dev down ends it. What concerns all tenants,
as verify and drain do, takes another token: SMSFLOW_TOKEN=\$(<run/admin.token) smsflow verify
TEXT
}

down() {
  local site=$ROOT/run
  if ! site_pid "$site" >/dev/null; then
    say "nothing runs in run/"
    return 0
  fi
  stop_site "$site"
  say "smsflowd has stopped; its data is still in run/, and tools/dev up goes on with it"
}
