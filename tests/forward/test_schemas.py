"""What is sent against AppScope's published JSON schemas, as far as they hold for us.

The shapes here are written from the facts of those schemas (docs/schemas of AppScope): which keys
there must be, which there may be, and what each holds. Where ours is the better truth, the
difference is named here and in docs/events.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from support.harness import Stage, scopetrace_command
from support.interpreter import python
from support.users import one_user

Check = Callable[[Any], bool]
Shape = Mapping[str, Check]

PROGRAM = """
import os, socket
with open("notes.txt", "w") as file:
    file.write("some text")
with open("notes.txt") as file:
    os.readv(file.fileno(), [bytearray(4)])
    os.pread(file.fileno(), 4, 0)
    file.read()
os.system("true")
"""


def text(value: Any) -> bool:
    return isinstance(value, str)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    return whole(value) or isinstance(value, float)


def one_of(*values: Any) -> Check:
    return lambda value: value in values


def exactly(value: Any, shape: Shape) -> bool:
    """Tell whether it has these keys and no others."""
    return value.keys() == shape.keys() and holds(value, shape)


def holds(value: Any, shape: Shape) -> bool:
    """Tell whether what there is of these keys is right; there may be others."""
    return isinstance(value, dict) and all(
        check(value[key]) for key, check in shape.items() if key in value
    )


def event(sourcetype: str, source: str, data: Check) -> Check:
    body = {
        "sourcetype": one_of(sourcetype),
        "_time": number,
        "source": one_of(source),
        "host": text,
        "proc": text,
        "cmd": text,
        "pid": whole,
        "data": data,
    }
    envelope = {
        "type": one_of("evt"),
        "id": text,
        "_channel": text,
        "body": lambda value: exactly(value, body),
    }
    return lambda value: exactly(value, envelope)


def moved(name: str, *ops: str) -> Check:
    shape = {
        "_metric": one_of(name),
        "_metric_type": one_of("histogram"),
        "_value": number,
        "proc": text,
        "pid": whole,
        "fd": whole,
        "op": one_of(*ops),
        "file": text,
        "numops": number,
        "unit": one_of("byte"),
    }
    return event("metric", name, lambda value: exactly(value, shape))


FOLDERS = ("getdents", "getdents64")
"""Listing a folder, which Python does to import: the schemas have no op for it."""
READ = moved("fs.read", "read", "readv", "pread64", "preadv", "preadv2", *FOLDERS)
WRITE = moved("fs.write", "write", "writev", "pwrite64", "pwritev", "pwritev2")
NOTICE = event("metric", "notice", text)

TRUTH = one_of("true", "false")
TLS = {"enable": TRUTH, "validateserver": TRUTH, "cacertpath": text}
TRANSPORT = {
    "type": one_of("tcp", "udp", "unix", "file", "edge"),
    "host": text,
    "port": text,
    "path": text,
    "buffering": one_of("line", "full"),
    "tls": lambda value: holds(value, TLS),
}
FORMAT = {
    "type": one_of("statsd", "ndjson"),
    "statsdprefix": text,
    "statsdmaxlen": whole,
    "verbosity": lambda value: whole(value) and 0 <= value <= 9,
    "maxeventpersec": whole,
    "enhancefs": TRUTH,
}
RULE = {"name": text, "field": text, "value": text, "allowbinary": TRUTH}
PROTOCOL = {
    "name": text,
    "regex": text,
    "binary": TRUTH,
    "len": whole,
    "detect": TRUTH,
    "payload": TRUTH,
}


def watches(*types: str) -> Check:
    """The schemas name a type for each of the first places."""

    def check(rules: Any) -> bool:
        named = all(rule["type"] == type for rule, type in zip(rules, types, strict=False))
        return named and all(holds(rule, RULE) for rule in rules)

    return check


def section(*types: str) -> Check:
    shape: Shape = {
        "enable": TRUTH,
        "transport": lambda value: holds(value, TRANSPORT),
        "format": lambda value: holds(value, FORMAT),
        "watch": watches(*types),
    }
    return lambda value: holds(value, shape)


CURRENT: Shape = {
    "metric": section("statsd"),
    "event": section("file", "console", "http", "net", "fs", "dns"),
    "payload": lambda value: holds(value, {"enable": TRUTH}),
    "libscope": lambda value: holds(value, {"configevent": TRUTH, "summaryperiod": whole}),
    "tags": lambda value: isinstance(value, dict),
    "protocol": lambda value: all(holds(item, PROTOCOL) for item in value),
}
PROCESS: Shape = {
    "libscopever": text, "pid": whole, "ppid": whole, "gid": whole, "groupname": text,
    "uid": whole, "username": text, "hostname": text, "procname": text, "cmd": text, "id": text,
    "cgroup": text, "machine_id": text, "uuid": text,
}  # fmt: skip
INFO: Shape = {
    "process": lambda value: exactly(value, PROCESS),
    "configuration": lambda value: (
        CURRENT.keys() <= value["current"].keys() and holds(value["current"], CURRENT)
    ),
    "environment": lambda value: isinstance(value, dict),
}
START: Shape = {"format": one_of("ndjson"), "info": lambda value: exactly(value, INFO)}

CONFIG = """
event:
  watch: [{type: dns}, {type: fs}, {type: net}, {type: process}, {type: http, headers: [x]},
          {type: metric}, {type: console, allowbinary: true}, {type: file}]
  format: {maxeventpersec: 3}
protocol: [{name: x, regex: y, binary: true}]
"""


def sent(stage: Stage, *options: str) -> list[dict[str, Any]]:
    """Record the program with its events sent to a file, and return them."""
    home = stage.new_home()
    (home / "scope.yml").write_text(CONFIG)
    arguments = ["run", "-u", home / "scope.yml", "-e", "sent", *options, "--"]
    ending = stage.run(scopetrace_command(*arguments, python(), "-c", PROGRAM))
    stage.finished(home, ending)
    return [json.loads(line) for line in (stage.work / "sent").read_bytes().splitlines()]


@one_user("lines are made of events, whoever recorded them")
def test_the_start_message(stage: Stage) -> None:
    first = sent(stage)[0]

    assert exactly(first, START), first


@one_user("lines are made of events, whoever recorded them")
def test_notices(stage: Stage) -> None:
    notices = [line for line in sent(stage)[1:] if line["body"]["source"] == "notice"]

    assert notices
    for notice in notices:
        assert NOTICE(notice), notice


@one_user("lines are made of events, whoever recorded them")
@pytest.mark.parametrize(
    ("name", "check", "ops"),
    [("fs.read", READ, {"read", "readv", "pread64", FOLDERS[-1]}), ("fs.write", WRITE, {"write"})],
)
def test_reads_and_writes_as_metric_events(
    name: str, check: Check, ops: set[str], stage: Stage
) -> None:
    stage.environ["SCOPE_EVENT_MAXEPS"] = "0"
    found = [line for line in sent(stage)[1:] if line["body"]["source"] == name]

    for line in found:
        assert check(line), line["body"]["data"]
    assert ops <= {line["body"]["data"]["op"] for line in found}
