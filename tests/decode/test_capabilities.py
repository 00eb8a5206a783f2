"""Which capability a call asks for, by its name and its arguments."""

from __future__ import annotations

import stat
from types import SimpleNamespace

import pytest

from scopetrace.decode.capabilities import BY_FIRST, CAPABILITIES, OF_CALLS, needed_capability
from scopetrace.syscalls.names import name_set

TRACEME, ATTACH = 0, 16
RECORDED = 70


@pytest.mark.parametrize(
    ("op", "args", "needed"),
    [
        ("setuid", (0,), "CAP_SETUID"),
        ("open", (0, 0), None),
        ("mknod", (0, stat.S_IFCHR | 0o600), "CAP_MKNOD"),
        ("mknod", (0, stat.S_IFDIR | 0o700), None),
        ("mknodat", (-100, 0, stat.S_IFBLK), "CAP_MKNOD"),
        ("socket", (2, 3, 1), "CAP_NET_RAW"),
        ("socket", (2, 0x80000 | 3, 1), "CAP_NET_RAW"),
        ("socket", (17, 2, 0), "CAP_NET_RAW"),
        ("socket", (2, 1, 0), None),
        ("prctl", (24, 7), "CAP_SETPCAP"),
        ("prctl", (22, 2), None),
        ("bpf", (5, 0), "CAP_BPF"),
        ("bpf", (6, 0), None),
        ("ptrace", (TRACEME, 0), None),
        ("ptrace", (ATTACH, RECORDED), None),
        ("ptrace", (ATTACH, 99999999), "CAP_SYS_PTRACE"),
    ],
)
def test_the_arguments_say_which_capability_a_call_asks_for(op, args, needed):
    record = SimpleNamespace(
        arg1=args[0], arg2=(*args, 0)[1], argument=lambda position: args[position - 1]
    )

    assert needed_capability(op, record, {RECORDED}) == needed


def test_each_capability_has_a_number():
    named = [OF_CALLS, *BY_FIRST.values()]
    assert {each for calls in named for each in calls.values()} <= CAPABILITIES.keys()


def test_each_number_is_that_of_the_kernel():
    assert {number: name for name, number in CAPABILITIES.items()}.items() <= (
        name_set("capability").by_value.items()
    )


@pytest.mark.parametrize(
    ("op", "needed"),
    [
        ("pidfd_send_signal", "CAP_KILL"),
        ("setresuid", "CAP_SETUID"),
        ("setgroups", "CAP_SETGID"),
        ("swapoff", "CAP_SYS_ADMIN"),
        ("sethostname", "CAP_SYS_ADMIN"),
        ("nice", "CAP_SYS_NICE"),
        ("prlimit64", "CAP_SYS_RESOURCE"),
        ("adjtimex", "CAP_SYS_TIME"),
        ("delete_module", "CAP_SYS_MODULE"),
        ("mlock", "CAP_IPC_LOCK"),
        ("chroot", "CAP_SYS_CHROOT"),
        ("reboot", "CAP_SYS_BOOT"),
        ("ioperm", "CAP_SYS_RAWIO"),
        ("acct", "CAP_SYS_PACCT"),
        ("syslog", "CAP_SYSLOG"),
        ("vhangup", "CAP_SYS_TTY_CONFIG"),
        ("perf_event_open", "CAP_PERFMON"),
        ("open_by_handle_at", "CAP_DAC_READ_SEARCH"),
    ],
)
def test_a_call_asks_for_the_capability_that_its_manual_page_names(op, needed):
    record = SimpleNamespace(arg1=0, arg2=0, argument=lambda position: 0)

    assert needed_capability(op, record, set()) == needed


@pytest.mark.parametrize("kind", [3, 10, 0x80000 | 10])
def test_a_raw_socket_of_any_family_asks_for_the_network(kind):
    record = SimpleNamespace(arg1=2, arg2=kind, argument=lambda position: 0)

    assert needed_capability("socket", record, set()) == "CAP_NET_RAW"


@pytest.mark.parametrize(
    ("option", "needed"),
    [(24, "CAP_SETPCAP"), (28, "CAP_SETPCAP"), (35, "CAP_SYS_RESOURCE"), (23, None)],
)
def test_an_option_of_prctl_asks_for_its_own(option, needed):
    record = SimpleNamespace(arg1=option, arg2=0, argument=lambda position: 0)

    assert needed_capability("prctl", record, set()) == needed
