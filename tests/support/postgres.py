"""Databases of PostgreSQL that tests make, and the command lines of its server and client."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from support.harness import Argv, Stage
from support.interpreter import NOBODY
from support.net_peers import HOST

STATUS_LINE = 7
"""LOCK_FILE_LINE_PM_STATUS of miscadmin.h, from 0: what the server writes into postmaster.pid."""


def without_privileges(argv: Argv) -> Argv:
    """Return a command line that runs a program as nobody: a server refuses to be root."""
    if os.geteuid():
        return argv
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv]


def new_database(stage: Stage, template: Path) -> Path:
    data = stage.folder / "data"
    shutil.copytree(template, data)
    data.chmod(0o700)
    if not os.geteuid():
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return data


def is_ready(data: Path) -> bool:
    """Whether the server of a database answers queries; before, it refuses who connects."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return [line.strip() for line in lines[STATUS_LINE:]] == ["ready"]


def server_command(programs: Path, data: Path, port: int) -> Argv:
    """Return the command line of a server that makes no more processes than it must."""
    settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "fsync": "off",
        "autovacuum": "off",
        "max_logical_replication_workers": "0",
        "jit": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [programs / "postgres", "-D", data, "-p", str(port), *options]


def psql(program: str, port: int) -> Argv:
    return [program, *f"-X -A -q -h {HOST} -p {port} -U tester -d postgres".split()]
