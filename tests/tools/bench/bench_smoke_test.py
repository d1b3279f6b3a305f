"""Runs smsflow-bench for two seconds: its JSON is what is promised, and what one SMS writes stays within the budget."""

import json
import subprocess
import sys
import unittest

BENCH = sys.argv.pop(1)
FIELDS = ["workload", "profile", "count", "rate_per_s", "latency_ms", "lateness_ms", "applied_per_s", "drained_s", "rss_mb",
          "disk_bytes_per_sms", "operations_per_sms", "cpu_us_per_sms", "limit_rate_per_s", "share", "kannel_rate_per_s"]


def run(*flags):
    return subprocess.run([BENCH, *flags], stdout=subprocess.PIPE, text=True, timeout=100, check=True).stdout


def budget(profile):
    lines = run("--budget", "--profile", profile).splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines if ":" not in line}


class BenchSmoke(unittest.TestCase):
    def test_a_bare_sms_writes_no_more_than_its_budget(self):
        bare = budget("bare")
        self.assertLessEqual(bare["schedule_operations"], 4)
        self.assertLessEqual(bare["schedule_bytes_beside_payload"], 450)
        self.assertLessEqual(bare["life_operations"], 14)

    def test_a_full_sms_writes_a_row_more_for_each_name(self):
        bare, full = budget("bare"), budget("full")
        self.assertEqual(full["schedule_operations"], bare["schedule_operations"] + 3)  # batch, key, idempotency key
        self.assertEqual(full["life_operations"], bare["life_operations"] + 3)

    def test_a_short_run_tells_every_field(self):
        report = json.loads(run("--workload", "schedule", "--seconds", "2", "--slice", "1", "--json"))
        self.assertEqual(list(report), FIELDS)
        self.assertEqual((report["workload"], report["profile"]), ("schedule", "bare"))
        self.assertGreater(report["count"], 0)
        self.assertEqual(list(report["latency_ms"]), ["p50", "p99", "p999"])
        # Marks of shards are written too, now and then.
        self.assertGreaterEqual(report["operations_per_sms"], 4)

    # That the SMSC saw what the gateway reports it looks at itself.
    def test_a_gateway_over_smpp(self):
        report = json.loads(run("--workload", "smpp", "--seconds", "1", "--slice", "0.5", "--json"))
        self.assertEqual(list(report), FIELDS)
        self.assertGreater(report["count"], 0)
        self.assertGreater(report["limit_rate_per_s"], 0)


if __name__ == "__main__":
    unittest.main()
