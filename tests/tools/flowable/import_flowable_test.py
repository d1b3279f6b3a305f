"""Takes SMSes and blocks over from an old database, a real PostgreSQL: import_flowable_test.py SMSFLOWD SMSFLOW
SMSFLOW_GATEWAY.

What stands in the engine afterwards is listed over gRPC: that is the truth, whatever the import says of itself.
"""

import csv
import json
import re
import signal
import subprocess
import sys
import textwrap
import time
import unittest
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "client")]
import postgres  # noqa: E402
from old_format import OldGateway  # noqa: E402
from running_server import ADMIN_TOKEN, CLIENT_TOKEN, RunningServer, running  # noqa: E402

SMSFLOWD, SMSFLOW, GATEWAY = (Path(argument).resolve() for argument in sys.argv[1:4])
SKIPPED = 77
SECRET = "Geheimnis-4711"
SOON = "1900000000-1900000600"  # in 2030; the server of this test takes slots as far as that
LIVE = 10000


def java_text(text, long=False):
    """As Java serialises a text."""
    raw = text.encode()
    size = len(raw).to_bytes(8 if long else 2, "big")
    return (b"\xac\xed\x00\x05" + (b"\x7c" if long else b"\x74") + size + raw).hex()


class Moving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.old = postgres.Postgres()
        cls.addClassCleanup(cls.old.close)

    def setUp(self):
        self.database = "old_" + self.id().rsplit(".", 1)[1][:40]
        self.old.run(f"CREATE DATABASE {self.database}")
        self.server = RunningServer(SMSFLOWD, SMSFLOW, "[limits]\nhorizon = \"3000d\"\n")
        self.addCleanup(self.server.close)

    def fill(self, sql):
        self.old.run((HERE / "old_tables.sql").read_text(encoding="utf-8") + sql, self.database)

    def words(self, *more):
        return [SMSFLOW, "import", "flowable", "--dsn", self.old.dsn(self.database), *more]

    def move(self, *more, expect=0, tenant=""):
        done = subprocess.run(self.words(*more), env=self.server.environment(CLIENT_TOKEN, tenant), capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.said = done.stderr
        return {name: int(count) for name, count in (line.split("\t") for line in done.stdout.splitlines())}

    def listed(self, tenant="demo"):
        done = subprocess.run([SMSFLOW, "list", "--all", "--json"], env=self.server.environment(CLIENT_TOKEN, tenant),
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)["items"]

    def blocked(self, tenant="demo"):
        done = subprocess.run([SMSFLOW, "blocked", "--all"], env=self.server.environment(CLIENT_TOKEN, tenant),
                              capture_output=True, text=True, timeout=60, check=True)
        return sorted(line.split("\t")[0] for line in done.stdout.splitlines())

    def reported(self):
        with open(f"{self.server.folder}/report.csv", encoding="utf-8", newline="") as file:
            return {row["old_id"]: row for row in csv.DictReader(file)}

    def test_each_is_taken_over_or_named(self):
        long = "ENCB" + "A" * 4996
        self.fill(f"""
            SELECT old_sms('p1', 'demo', 'b1', 'k1', 't1', '1900000000-1900000600;1900100000-1900100600', 'ENCBpayload+/=');
            SELECT old_sms('p2', 'other', NULL, NULL, NULL, '2030-03-17T17:46:40Z/2030-03-17T17:56:40Z', 'ENCBother', retries => 2);
            SELECT old_sms('p3', 'demo', 'b1', 'k3', NULL, '{SOON}', NULL);
            INSERT INTO act_ge_bytearray (id_, bytes_) VALUES ('long', '\\x{java_text(long)}'), ('odd', '\\xaced000573');
            UPDATE act_ru_variable SET type_ = 'longString', bytearray_id_ = 'long' WHERE id_ = 'p3.payload';
            SELECT old_sms('p4', 'demo', NULL, 'k4', 't9', '{SOON}', 'ENCBx');
            SELECT old_sms('new', 'demo', NULL, 'k5', NULL, '{SOON}', 'ENCBx', 'NEW', -1, '{{}}');
            SELECT old_sms('sent', 'demo', NULL, 'k6', NULL, '{SOON}', 'ENCBx', 'SENT', 0, '{{waitReceipt}}');
            SELECT old_sms('enroute', 'demo', NULL, 'k7', NULL, '{SOON}', 'ENCBx', 'ENROUTE', 0, '{{sendTask,sendTimeout}}');
            SELECT old_sms('firing', 'demo', NULL, 'k8', NULL, '{SOON}', 'ENCBx');
            INSERT INTO act_ru_job (id_, process_instance_id_, lock_owner_, lock_exp_time_) VALUES ('j1', 'firing', 'vm', now());
            SELECT old_sms('freed', 'demo', NULL, 'k9', NULL, '{SOON}', 'ENCBx');
            INSERT INTO act_ru_job (id_, process_instance_id_) VALUES ('j2', 'freed');
            SELECT old_sms('past', 'demo', NULL, NULL, NULL, '10-20', 'ENCBx');
            SELECT old_sms('never', 'demo', NULL, NULL, NULL, '', 'ENCBx');
            SELECT old_sms('nobody', NULL, NULL, NULL, NULL, '{SOON}', 'ENCBx');
            SELECT old_sms('empty', 'demo', NULL, NULL, NULL, '{SOON}', NULL);
            SELECT old_sms('slotless', 'demo', NULL, NULL, NULL, NULL, 'ENCBx');
            SELECT old_sms('crooked', 'demo', NULL, NULL, NULL, '{SECRET}', 'ENCBx');
            SELECT old_sms('object', 'demo', NULL, NULL, NULL, '{SOON}', 'ENCBx');
            UPDATE act_ru_variable SET type_ = 'serializable', bytearray_id_ = 'odd', text_ = NULL WHERE id_ = 'object.payload';
            SELECT old_sms('double', 'demo', NULL, NULL, NULL, '{SOON}', 'ENCBx');
            INSERT INTO act_ru_variable (id_, type_, name_, proc_inst_id_, text_) VALUES ('d', 'string', 'payload', 'double', 'y');
            SELECT old_sms('torn', 'demo', NULL, NULL, NULL, '{SOON}', 'ENCBx', 'SENT');
            SELECT old_sms('lost', 'demo', NULL, NULL, NULL, '{SOON}', 'ENCBx', 'FAILED', 0, '{{somewhere}}');
            SELECT old_sms('stranger', 'elsewhere', NULL, NULL, NULL, '{SOON}', 'ENCBx');
            SELECT old_sms('wordy', 'demo', NULL, repeat('x', 200), NULL, '{SOON}', 'ENCBx');
            INSERT INTO act_ru_execution (id_, proc_inst_id_, proc_def_id_) VALUES ('foreign', 'foreign', 'anotherProcess:1:1');
            SELECT old_block('b1', 'demo', 't9'), old_block('b2', 'demo', 't9'), old_block('b3', 'other', '-9');
            SELECT old_block('b4', 'demo', NULL), old_block('b5', 'elsewhere', 't1');
        """)
        would = self.move("--dry-run", expect=1)
        self.assertEqual(self.listed() + self.listed("other"), [])
        self.assertEqual((would["would_schedule"], would["in_flight"], would["blocks"]), (7, 3, 3))

        report = f"{self.server.folder}/report.csv"
        counts = self.move("--report", report, expect=1)
        self.assertEqual(counts, {"smses": 21, "scheduled": 5, "already": 0, "expired": 0, "blocked": 1, "in_flight": 3,
                                  "past": 2, "unreadable": 8, "refused": 2, "other_tenants": 0, "blocks": 2,
                                  "blocks_refused": 2})
        mine = {sms["key"]: sms for sms in self.listed()}
        self.assertEqual(sorted(mine), ["k1", "k3", "k4", "k5", "k9"])
        self.assertEqual({name: mine["k1"][name] for name in ("batch", "target", "schedule", "state", "due_ms")},
                         {"batch": "b1", "target": "t1", "schedule": "1900000000-1900000600;1900100000-1900100600",
                          "state": "PENDING", "due_ms": 1900000000000})
        self.assertEqual(mine["k4"]["state"], "BLOCKED")
        self.assertEqual([sms["schedule"] for sms in self.listed("other")], [SOON])
        self.assertEqual((self.blocked(), self.blocked("other")), (["t9"], ["-9"]))

        rows = self.reported()
        self.assertEqual(rows["p1"]["id"], mine["k1"]["id"])
        self.assertEqual((rows["p2"]["outcome"], rows["p2"]["retries"], rows["p2"]["user"]), ("scheduled", "2", "ward7"))
        for old_id, outcome, reason in (
                ("sent", "in_flight", "SENT: its receipt"), ("enroute", "in_flight", "ENROUTE: the gateway has it"),
                ("firing", "in_flight", "its timer was being fired"), ("past", "past", "its last slot is over"),
                ("never", "past", "it has no slot"), ("nobody", "unreadable", "clientId: is missing"),
                ("empty", "unreadable", "payload: is missing"), ("slotless", "unreadable", "schedule: is missing"),
                ("crooked", "unreadable", "schedule: slot 1"), ("object", "unreadable", "payload: is no text that can be read"),
                ("double", "unreadable", "payload: stands there more than once"), ("torn", "unreadable", "smsStatus: it waits for its slot, and has left"),
                ("lost", "unreadable", "it waits at a place that is not known"), ("stranger", "refused", "elsewhere|tenant"),
                ("wordy", "refused", "key: must be 1 to 128 bytes")):
            with self.subTest(old_id):
                self.assertEqual(rows[old_id]["outcome"], outcome)
                self.assertRegex(rows[old_id]["reason"], reason)
                self.assertNotIn(SECRET, rows[old_id]["reason"])

        again = self.move("--report", report, "--take-locked", expect=1)
        self.assertEqual((again["scheduled"], again["already"], again["in_flight"]), (1, 6, 2))
        self.assertEqual(self.reported()["p1"]["id"], mine["k1"]["id"])
        self.assertEqual(len(self.listed()), 6)

    def test_what_the_old_clients_sealed_is_delivered(self):
        """Out of the old database, through an engine that cannot read it, to a gateway that has the old vault."""
        self.server = running.Engine(SMSFLOWD)
        self.addCleanup(self.server.temporary.cleanup)
        gateway = OldGateway(GATEWAY, self.server.folder, "demo")
        self.server.configure('[delivery]\nmax_jitter = "0s"\n' + running.key("client", CLIENT_TOKEN, ["client"], ["demo"]) +
                              gateway.key(), shards=4)
        self.server.start()
        self.addCleanup(self.server.stop)
        now = int(time.time())
        long = gateway.seal("S1D1" + "x" * 4000)
        self.fill(f"""
            SELECT old_sms('p1', 'demo', 'b1', 'k1', 't1', '{now}-{now + 600}', '{gateway.seal("S1D1")}');
            SELECT old_sms('p2', 'demo', 'b1', 'k2', 't2', '{now}-{now + 600}', '{gateway.seal("S0I1")}');
            SELECT old_sms('p3', 'demo', 'b1', 'k3', 't3', '{now}-{now + 600}', NULL);
            INSERT INTO act_ge_bytearray (id_, bytes_) VALUES ('long', '\\x{java_text(long)}');
            UPDATE act_ru_variable SET type_ = 'longString', bytearray_id_ = 'long' WHERE id_ = 'p3.payload';
        """)
        self.assertEqual(self.move()["scheduled"], 3)
        gateway.start()
        self.addCleanup(gateway.stop)
        until = time.monotonic() + 60
        ends, wanted = {}, {"k1": "DELIVERED", "k2": "INVALID", "k3": "DELIVERED"}
        while ends != wanted and time.monotonic() < until:
            ends = {sms["key"]: sms["state"] for sms in self.listed()}
        self.assertEqual(ends, wanted)
        self.assertEqual(self.move()["already"], 3, "what has ended is not scheduled again")

    def admin(self, *words, expect=0):
        done = subprocess.run([SMSFLOW, *words], env=self.server.environment(ADMIN_TOKEN, ""), capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        self.said = done.stderr
        return done.stdout

    def test_accounts_come_over_with_their_passwords(self):
        self.fill(f"""
            INSERT INTO act_id_group VALUES ('users', 'users', 'ROLE'), ('admins', 'admins', 'ROLE'), ('odd', 'odd', NULL),
              ('ward', 'ward', 'CLIENT'), ('"ward"', 'typed with its quotes', 'CLIENT'), ('strange', 'strange', 'ROLE');
            INSERT INTO act_id_user (id_, first_, email_, pwd_) VALUES ('admin', 'Default', 'nobody@example.com', 'test'),
              ('ann', 'Ann', 'ann@example.com', '{SECRET}'), ('bob', NULL, NULL, NULL), ('cy d', 'C', NULL, '{SECRET}'),
              ('eve', 'Eve', NULL, repeat('x', 255)), ('fay', 'Fay', NULL, '{SECRET}');
            INSERT INTO act_id_membership VALUES ('ann', 'users'), ('ann', 'ward'), ('admin', 'admins'), ('bob', 'users'),
              ('bob', 'odd'), ('fay', 'strange');
        """)
        words = ["import", "flowable", "--accounts", "--dsn", self.old.dsn(self.database)]
        would = dict(line.split("\t") for line in self.admin(*words, "--dry-run").splitlines())
        self.assertEqual(would, {"clients": "2", "clients_already": "0", "accounts": "6", "already": "0",
                                 "without_password": "2", "refused": "0"})
        accounts = json.loads(self.admin("account", "list", "--json"))["items"]
        self.assertEqual([account["account"] for account in accounts if account["account"] != "admin"], [])

        report = f"{self.server.folder}/accounts.csv"
        self.admin(*words, "--report", report, expect=1)
        with open(report, encoding="utf-8", newline="") as file:
            text = file.read()
        self.assertNotIn(SECRET, text)
        rows = {(row["kind"], row["name"]): row for row in csv.DictReader(text.splitlines())}
        self.assertEqual(rows["client", "ward"]["outcome"], "made")
        self.assertEqual(rows["client", '"ward"']["outcome"], "refused")
        self.assertEqual((rows["account", "ann"]["outcome"], rows["account", "ann"]["roles"], rows["account", "ann"]["clients"]),
                         ("made", "users", "ward"))
        admin = rows["account", "admin"]
        self.assertIn((admin["outcome"], admin["reason"]),
                      (("made", "its password is the one that everybody knows: it has none here"), ("already", "")))
        self.assertIn("it had no password", rows["account", "bob"]["reason"])
        self.assertIn("1 of its groups neither ROLE nor CLIENT", rows["account", "bob"]["reason"])
        self.assertEqual(rows["account", "cy d"]["outcome"], "refused")
        self.assertEqual(rows["account", "fay"]["outcome"], "refused", "a role that there is not")
        accounts = {account["account"]: account for account in json.loads(self.admin("account", "list", "--json"))["items"]}
        self.assertEqual({name: accounts["ann"][name] for name in ("name", "email", "roles", "clients", "has_password")},
                         {"name": "Ann", "email": "ann@example.com", "roles": ["users"], "clients": ["ward"],
                          "has_password": True})
        self.assertFalse(accounts["bob"]["has_password"])
        self.assertEqual(sorted(accounts), ["admin", "ann", "bob", "eve"])

        self.admin(*words, expect=1)
        self.assertEqual(json.loads(self.admin("account", "list", "--json"))["items"], list(accounts.values()))
        self.assertNotIn(SECRET, self.said)
        self.assertEqual(self.move("--accounts", expect=6), {name: 0 for name in would}, "a client's token will not do")
        self.admin(*words, "--take-locked", expect=2)

    def test_one_tenant_at_a_time(self):
        self.fill(f"""
            SELECT old_sms('a' || i, 'demo', NULL, NULL, NULL, '{SOON}', 'x') FROM generate_series(1, 3) i;
            SELECT old_sms('b' || i, 'other', NULL, NULL, NULL, '{SOON}', 'x') FROM generate_series(1, 2) i;
            SELECT old_block('x', 'other', 't');
        """)
        counts = self.move(tenant="demo")
        self.assertEqual((counts["scheduled"], counts["other_tenants"], counts["blocks"]), (3, 2, 0))
        counts = self.move(tenant="other")
        self.assertEqual((counts["scheduled"], counts["other_tenants"], counts["blocks"]), (2, 3, 1))

    def test_killed_half_way_and_run_again_it_doubles_none(self):
        self.fill(f"""
            SELECT old_sms('p' || i, CASE WHEN i % 3 = 0 THEN 'other' ELSE 'demo' END, 'b', 'k' || i, 't' || i % 50, '{SOON}',
                           'ENCBx') FROM generate_series(1, {LIVE}) i;
            SELECT old_block('b' || i, 'demo', 'blocked' || i) FROM generate_series(1, 40) i;
        """)
        self.hold_up(600)
        first = self.begin_moving()
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
        self.old.run("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND
            pid <> pg_backend_pid(); DROP VIEW act_ru_variable; ALTER TABLE variables RENAME TO act_ru_variable;""", self.database)
        self.server.kill()  # and the engine beside it
        self.server.start()
        before = len(self.listed()) + len(self.listed("other"))
        self.assertLess(before, LIVE, "it was killed before its end")
        counts = self.move()
        self.assertEqual(counts["scheduled"] + counts["already"], LIVE)
        self.assertGreaterEqual(counts["already"], before)
        keys = Counter(sms["key"] for tenant in ("demo", "other") for sms in self.listed(tenant))
        self.assertEqual(len(keys), LIVE)
        self.assertEqual(keys.most_common(1)[0][1], 1)
        self.assertEqual(len(self.blocked()), 40)
        self.assertEqual(self.move()["already"], LIVE)

    def hold_up(self, seconds):
        """Whoever reads the last of the SMSes of the old database waits so long for it: no import ends before."""
        self.old.run(f"""
            ALTER TABLE act_ru_variable RENAME TO variables;
            CREATE VIEW act_ru_variable AS SELECT id_, type_, name_, proc_inst_id_, bytearray_id_, long_,
              CASE WHEN proc_inst_id_ = 'p{LIVE - 1}' AND name_ = 'payload' THEN pg_sleep({seconds})::text || text_ ELSE text_
              END AS text_ FROM variables;""", self.database)

    def begin_moving(self):
        """An import that has brought the first SMSes over, and goes on."""
        moving = subprocess.Popen(self.words(), env=self.server.environment(CLIENT_TOKEN, ""), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.addCleanup(moving.communicate)
        summary = [SMSFLOW, "summary", "b"]
        while moving.poll() is None and "total\t0\n" in subprocess.run(
                summary, env=self.server.environment(CLIENT_TOKEN, "demo"), capture_output=True, text=True, timeout=60,
                check=True).stdout:
            pass
        return moving

    def test_an_engine_that_is_killed_and_comes_back_is_waited_for(self):
        self.fill(f"SELECT old_sms('p' || i, 'demo', 'b', 'k' || i, NULL, '{SOON}', 'x') FROM generate_series(1, {LIVE}) i;")
        self.hold_up(20)
        moving = self.begin_moving()
        self.server.kill()
        self.assertIsNone(moving.poll(), "the engine was killed before the import's end")
        self.server.start()
        said, complaints = moving.communicate(timeout=120)
        self.assertEqual((moving.returncode, complaints), (0, ""))
        counts = dict(line.split("\t") for line in said.splitlines())
        self.assertEqual(int(counts["scheduled"]) + int(counts["already"]), LIVE)
        keys = Counter(sms["key"] for sms in self.listed())
        self.assertEqual((len(keys), keys.most_common(1)[0][1]), (LIVE, 1))

    def test_the_page_takes_timers_away_and_puts_them_back(self):
        page = (HERE.parent.parent.parent / "docs/migrating.md").read_text(encoding="utf-8")
        away, back = re.findall(r"(?ms)^ +```sql\n(.*?)^ +```$", page)
        self.fill(f"""
            SELECT old_sms('p' || i, 'demo', NULL, 'k' || i, NULL, '{SOON}', 'x') FROM generate_series(1, 3) i;
            SELECT old_sms('sent', 'demo', NULL, NULL, NULL, '{SOON}', 'x', 'SENT', 0, '{{waitReceipt}}');
            SELECT old_sms('odd', 'demo', NULL, NULL, NULL, '{SOON}', NULL);
            INSERT INTO act_ru_timer_job (id_, process_instance_id_)
              VALUES ('t1', 'p1'), ('t2', 'p2'), ('t3', 'sent'), ('t4', 'odd');
            INSERT INTO act_ru_job (id_, process_instance_id_) VALUES ('j1', 'p3');
        """)
        self.move("--report", f"{self.server.folder}/moved.csv", expect=1)
        timers = "SELECT id_ FROM act_ru_timer_job UNION SELECT id_ FROM act_ru_job ORDER BY 1"
        self.old.run(textwrap.dedent(away), self.database, self.server.folder)
        self.assertEqual(self.old.run(timers, self.database).split(), ["t3", "t4"])
        self.assertEqual(self.move("--report", f"{self.server.folder}/moved.csv", expect=1)["already"], 3)
        self.old.run(textwrap.dedent(back), self.database)
        self.assertEqual(self.old.run(timers, self.database).split(), ["j1", "t1", "t2", "t3", "t4"])

    def test_not_while_the_old_scheduler_is_connected(self):
        self.fill(f"SELECT old_sms('p1', 'demo', NULL, NULL, NULL, '{SOON}', 'x');")
        other = subprocess.Popen([f"{self.old.programs}/psql", "-X", "-q", "-A", "-t", self.old.dsn(self.database)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 env={"PGAPPNAME": "PostgreSQL JDBC Driver"})
        try:
            other.stdin.write("SELECT 1;\n")
            other.stdin.flush()
            other.stdout.readline()
            self.move(expect=4)
            self.assertRegex(self.said, "^smsflow: import: 1 other session is connected to the database; stop the old")
            self.assertEqual(self.move("--dry-run")["would_schedule"], 1)
            self.assertIn("note: 1 other session is connected", self.said)
            self.assertEqual(self.listed(), [])
            self.assertEqual(self.move("--although-connected")["scheduled"], 1)
        finally:
            other.communicate(timeout=60)

    def test_bad_input(self):
        self.fill("CREATE ROLE stranger LOGIN; REVOKE ALL ON SCHEMA public FROM stranger;")
        self.old.run("CREATE DATABASE empty_one")
        for name, dsn, more, code, says in BAD:
            with self.subTest(name):
                dsn = dsn.format(folder=self.old.folder, database=self.database)
                done = subprocess.run([SMSFLOW, "import", "flowable", "--dsn", dsn, *more], capture_output=True, text=True,
                                      timeout=60, env=self.server.environment(CLIENT_TOKEN, ""), check=False)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertRegex(done.stderr, r"^[^\n]+\n$", "an error is one line")
                self.assertRegex(done.stderr, says)
                self.assertNotIn(SECRET, done.stdout + done.stderr)

    def test_a_table_of_another_shape(self):
        self.fill("ALTER TABLE act_ru_variable RENAME COLUMN text_ TO words;"
                  f"INSERT INTO act_ru_execution (id_, proc_inst_id_, proc_def_id_) VALUES ('p', 'p', 'smsSchedulerProcess:1:1');")
        self.move(expect=4)
        self.assertIn("the database does not answer as it should: column v.text_ does not exist", self.said)


# name, --dsn, more words, exit code, what the line must say
BAD = [
    ("no database named", "", [], 2, "--dsn: must be a PostgreSQL connection string"),
    ("connection string that is none", f"password={SECRET} {SECRET}", [], 2, "--dsn: must be a PostgreSQL connection"),
    ("option that is none", f"hots=x password={SECRET}", [], 2, "--dsn: must be a PostgreSQL connection string"),
    ("database server that is not there", f"host={{folder}}/nothing password={SECRET}", [], 5, "--dsn: no connection to"),
    ("database that is not there", "host={folder} user=old dbname=nothing", [], 5, 'database "nothing" does not exist'),
    ("database user that is not there", "host={folder} user=nobody dbname={database}", [], 5, 'role "nobody" does not'),
    ("database of something else", "host={folder} user=old dbname=empty_one", [], 4, "has no table act_ru_execution"),
    ("database that must not be read", "host={folder} user=stranger dbname={database}", [], 6, "permission denied"),
    ("report that cannot be made", "host={folder} user=old dbname={database}", ["--report", "/nothing/there"], 2,
     "/nothing/there: cannot be made"),
    ("accounts of something else", "host={folder} user=old dbname=empty_one", ["--accounts"], 4, "has no table act_id_user"),
    ("slots for old SMSes", "host={folder} user=old dbname={database}", ["--at", "+0"], 2, "--at: goes with a file alone"),
]

if __name__ == "__main__":
    if postgres.found() is None:
        print("skipped: there is no PostgreSQL to read from; tools/dev test installs it", flush=True)
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
