"""Who touched what, as a table at several widths."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scopetrace.model.touch import FILE, PEER, PROCESS, Doer, Touch, Who
from scopetrace.output.who import who_table
from scopetrace.output.width import display_width

MS = 1_000_000
CHAIN = (Doer(12, "rm", "rm x"), Doer(11, "sh", "sh build.sh"), Doer(10, "make", "make"))


def touch(action: str, at_ms: int = 0, chain: tuple[Doer, ...] = CHAIN, **facts: Any) -> Touch:
    return Touch(1, at_ms * MS, action, chain, facts)


FILE_TOUCHES = Who(
    FILE,
    "/w/new",
    ("/w/old",),
    (
        touch("open", 5, file="/w/old", flags="O_RDONLY"),
        touch("read, write", 6, file="/w/old", file_read_bytes=2048, file_write_bytes=3),
        touch("rename", 1500, file="/w/old", file_new="/w/new"),
        touch("fail", 1600, file="/w/new", op="unlinkat", error="EACCES"),
        touch("delete", 1700, file="/w/new"),
    ),
)


def test_a_file() -> None:
    assert who_table(FILE_TOUCHES, "/w", 0, 80).splitlines() == [
        "/w/new (also /w/old)",
        " TIME  ACTION       WHAT                          BY",
        "0.005  open         old O_RDONLY                  rm[12] ← sh[11] ← make[10]",
        "0.006  read, write  old 2.0 KiB read 3 B written  rm[12] ← sh[11] ← make[10]",
        "1.500  rename       old → new                     rm[12] ← sh[11] ← make[10]",
        "1.600  fail         unlinkat EACCES               rm[12] ← sh[11] ← make[10]",
        "1.700  delete                                     rm[12] ← sh[11] ← make[10]",
    ]


PEER_TOUCHES = Who(
    PEER,
    "db:5432",
    (),
    (
        touch(
            "connect",
            net_peer_name="db",
            net_peer_port=5432,
            net_protocol="TLS",
            net_bytes_sent=10,
            net_bytes_recv=2048,
            requests=2,
            net_close_reason="remote",
        ),
        touch("fail", net_peer_ip="fe80::1", net_peer_port=80, op="connect", error="ECONNREFUSED"),
        touch("lookup", domain="db", addrs=["10.0.0.1"]),
        touch("listen", net_host_ip="0.0.0.0", net_host_port=5432),
        touch("accept", unix_local_path="/run/x", net_transport="Unix.TCP"),
    ),
)


def test_a_peer() -> None:
    rows = [line.split() for line in who_table(PEER_TOUCHES, "/", 0, None).splitlines()]
    by = ["rm[12]", "←", "sh[11]", "←", "make[10]"]

    assert rows[2] == [
        "0.000", "connect", "db:5432", "TLS", "10", "B", "2.0", "KiB", "2", "remote", *by,
    ]  # fmt: skip
    assert rows[3] == ["0.000", "fail", "[fe80::1]:80", "connect", "ECONNREFUSED", *by]
    assert rows[4] == ["0.000", "lookup", "db", "10.0.0.1", *by]
    assert rows[5] == ["0.000", "listen", "0.0.0.0:5432", *by]
    assert rows[6] == ["0.000", "accept", "/run/x", "Unix.TCP", *by]


END = {"exit_code": 3, "signal": None, "duration_us": 1500, "cpu_us": 20, "max_rss_kib": 2048}
PROCESS_TOUCHES = Who(
    PROCESS,
    "rm x",
    (),
    (
        touch("start", chain=(), child_pid=12, child_cmd="rm x", ppid=1),
        touch("exec", exe="/bin/rm"),
        touch("user", username="www"),
        touch("signal", chain=(), signal="SIGHUP", sender_pid=None),
        touch("end", **END),
        touch("used", files=1, files_written=0, peers=2),
    ),
)


def test_a_process() -> None:
    lines = who_table(PROCESS_TOUCHES, "/", 0, None).splitlines()

    text = "\n".join(lines)
    assert "start   [12] rm x" in text
    assert "outside the session [1]" in text
    assert "exec    rm x" in text
    assert "user    www" in text
    assert "signal  SIGHUP" in text
    assert "end     exit 3, 1.5 ms, cpu 20 µs, 2.0 MiB" in text
    assert "used    1 file; 2 peers" in text


LONG = Who(
    FILE,
    "/w/new",
    (),
    (
        touch("rename", file="/w/" + "o" * 300, file_new="/w/" + "n" * 300),
        touch("delete", chain=CHAIN * 30, file="/w/\x1b[2J\u202eevil"),
    ),
)


@pytest.mark.parametrize("who", [FILE_TOUCHES, PEER_TOUCHES, PROCESS_TOUCHES, LONG])
@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_fit_the_terminal_and_hold_nothing_that_it_obeys(who: Who, width: int) -> None:
    lines = who_table(who, "/", 0, width).splitlines()

    assert max(map(display_width, lines)) <= width
    assert all(line.isprintable() for line in lines)
    assert all("rm[12]" in line for line in lines[2:] if "outside" not in line)


def test_what_is_cut_keeps_both_names_and_how_it_was_opened() -> None:
    old, new = "/w/" + "o" * 60 + ".txt", "/w/" + "n" * 60 + ".txt"
    flags = "O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC"
    touches = (touch("open", file=old, flags=flags), touch("rename", file=old, file_new=new))
    _, _, opened, renamed = who_table(Who(FILE, new, (), touches), "/", 0, 80).splitlines()

    assert re.search(r" w/o+…o+\.txt O_WRONLY\|O_C", opened)
    assert re.search(r" w/o+…o+\.txt → w/n+…n+\.txt ", renamed)


def test_columns_that_by_leaves_are_used() -> None:
    flags = "O_WRONLY|O_CREAT|O_APPEND|O_TRUNC"
    opened = touch("open", chain=CHAIN[:1], file="/w/old", flags=flags)

    assert f"old {flags}" in who_table(Who(FILE, "/w/new", (), (opened,)), "/w", 0, 80)


def test_it_is_said_since_when_a_file_was_open_that_was_open_for_long() -> None:
    used = {"file": "/w/new", "file_write_bytes": 3}
    long = touch("write", 1500, duration_us=1_000_000, **used)
    short = touch("write", 1600, duration_us=1_000, **used)
    who = Who(FILE, "/w/new", (), (long, short))
    _, _, first, second = who_table(who, "/w", 0, 80).splitlines()

    assert "1.500  write   3 B written since 0.500  rm[12]" in first
    assert "1.600  write   3 B written              rm[12]" in second


def test_a_long_heading_is_wrapped() -> None:
    who = Who(FILE, "/w/" + "n" * 70, ("/w/" + "o" * 70,), ())

    assert who_table(who, "/w", 0, 80).splitlines()[:2] == [
        "/w/" + "n" * 70 + " (also",
        "  /w/" + "o" * 70 + ")",
    ]
