"""Database servers with the clients that load them: both are recorded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from workloads import Workload

REDIS = """
redis-server --port {port} --bind 127.0.0.1 --save '' --dir {folder} > /dev/null &
until redis-cli -p {port} ping > /dev/null 2>&1; do sleep 0.02; done
redis-benchmark -p {port} -q -n {requests} -t set,get > /dev/null
redis-cli -p {port} shutdown nosave
wait
"""
POSTGRES = """
export PATH={programs}:$PATH
pg_ctl -D {data} -s -w -l {data}/log -o '-p {port} -k {data} -h ""' start
pgbench -h {data} -p {port} -U bench {work} postgres > /dev/null 2>&1
pg_ctl -D {data} -s -w -m fast stop
"""
REQUESTS, TRANSACTIONS, UNPRIVILEGED_ID = 30_000, 2_000, 65534


def databases(folder: Path) -> Iterator[Workload]:
    """Yield a workload for each database that is installed here."""
    if shutil.which("redis-benchmark"):
        script = REDIS.format(port=free_port(), folder=folder, requests=REQUESTS)
        yield Workload("redis-benchmark: set and get", ["sh", "-c", script], 2 * REQUESTS)
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        yield postgres(programs, folder)
        return


def postgres(programs: Path, folder: Path) -> Workload:
    """Make a database for pgbench, and return the workload."""
    data, port = folder / "postgres", free_port()
    data.mkdir()
    user = as_other_user(folder, data)
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust"]
    subprocess.run([*user, *initdb], check=True, stdout=subprocess.DEVNULL)
    places = {"programs": programs, "data": data, "port": port}
    fill = POSTGRES.format(**places, work="-i -q")
    subprocess.run([*user, "sh", "-c", fill], check=True)
    script = POSTGRES.format(**places, work=f"-n -t {TRANSACTIONS}")
    return Workload("pgbench, 1 client", [*user, "sh", "-c", script], TRANSACTIONS)


def as_other_user(folder: Path, data: Path) -> list[str]:
    """Return what precedes a command line that root may not run; `data` is that user's."""
    if os.geteuid():
        return []
    folder.chmod(0o755)
    os.chown(data, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    return ["setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
