"""A PostgreSQL of its own for the length of a test: a cluster in a temporary folder, on a unix socket, by nobody's leave.

PostgreSQL refuses to run as root, so root runs it as `nobody`. It listens on no port. Where there is none, found() is
None: the caller says that it is skipped.
"""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

# No fsync: the database of a test may be lost with its machine.
SETTINGS = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB",
            "-c", "max_connections=12", "-c", "autovacuum=off"]


def found():
    """The folder of PostgreSQL's programs, the newest version's."""
    folders = [path for path in glob.glob("/usr/lib/postgresql/*/bin") if os.access(f"{path}/initdb", os.X_OK)]
    return max(folders, key=lambda path: float(path.split("/")[4]), default=None)


class Postgres:
    def __init__(self, locale="C"):
        self.programs = found()
        # Short: a socket's path has 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="smsflow-pg-")
        self.user = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        self.process = None
        try:
            subprocess.run([f"{self.programs}/initdb", "-D", f"{self.folder}/data", "-U", "old", "-A", "trust", "-E", "UTF8",
                            f"--locale={locale}", "--no-sync"], check=True, stdout=subprocess.DEVNULL, timeout=120,
                           cwd=self.folder, env=self.environment, **self.user)
            with open(f"{self.folder}/log", "wb") as log:
                self.process = subprocess.Popen(
                    [f"{self.programs}/postgres", "-D", f"{self.folder}/data", "-k", self.folder, *SETTINGS],
                    stdout=log, stderr=log, cwd=self.folder, env=self.environment, **self.user)
            self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", self.folder], check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(Path(self.folder, "log").read_text(errors="replace"))

    def dsn(self, database="postgres", user="old"):
        return f"host={self.folder} dbname={database} user={user}"

    def run(self, sql, database="postgres", folder="/"):
        """The statements, each in a transaction of its own; what they print, fields between tabs. psql runs in `folder`."""
        done = subprocess.run([f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               "-h", self.folder, "-U", "old", "-d", database, "-f", "-"], input=sql, capture_output=True,
                              text=True, timeout=120, check=False, cwd=folder, env=dict(self.environment))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)  # its word for: now, without waiting for sessions
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)
