"""Calls about processes: what they take and give."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Phase, Piece
from support.rendered import shown

AGAIN = "-1 EAGAIN (Resource temporarily unavailable)"
INTERRUPTED = "-1 EINTR (Interrupted system call)"
BLOCK = "? ERESTART_RESTARTBLOCK (Interrupted by signal)"
ANY_CAP = "1<<CAP_CHOWN"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((1, 9), "PR_SET_PDEATHSIG, SIGKILL"),
        ((2, 0x100), "PR_GET_PDEATHSIG, 0x100"),
        ((4, 0), "PR_SET_DUMPABLE, SUID_DUMP_DISABLE"),
        ((4, 1), "PR_SET_DUMPABLE, SUID_DUMP_USER"),
        ((4, 2), "PR_SET_DUMPABLE, SUID_DUMP_ROOT"),
        ((4, 3), "PR_SET_DUMPABLE, 0x3 /* SUID_DUMP_??? */"),
        ((4, -1), "PR_SET_DUMPABLE, 0xffffffffffffffff /* SUID_DUMP_??? */"),
        ((5, 0x100), "PR_GET_UNALIGN, 0x100"),
        ((6, 1), "PR_SET_UNALIGN, PR_UNALIGN_NOPRINT"),
        ((8, 1, 2), "PR_SET_KEEPCAPS, 1"),
        ((15, 0x100), "PR_SET_NAME, 0x100"),
        ((16, 0x100), "PR_GET_NAME, 0x100"),
        ((22, 2, 0x200, 3), "PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0x200"),
        ((23, 10), "PR_CAPBSET_READ, CAP_NET_BIND_SERVICE"),
        ((24, 7), "PR_CAPBSET_DROP, CAP_SETUID"),
        ((25, 0x100), "PR_GET_TSC, 0x100"),
        ((26, 1), "PR_SET_TSC, PR_TSC_ENABLE"),
        ((28, 1), "PR_SET_SECUREBITS, SECBIT_NOROOT"),
        ((29, 5), "PR_SET_TIMERSLACK, 5"),
        ((33, 1, 2, 3, 4), "PR_MCE_KILL, PR_MCE_KILL_SET, 0x2, 0x3"),
        ((35, 1, 2, 3, 4), "PR_SET_MM, PR_SET_MM_START_CODE, 0x2, 0x3, 0x4"),
        ((36, 1, 2), "PR_SET_CHILD_SUBREAPER, 1"),
        ((37, 0x100), "PR_GET_CHILD_SUBREAPER, 0x100"),
        ((38, 1, 2, 3, 4), "PR_SET_NO_NEW_PRIVS, 1, 0x2, 0x3, 0x4"),
        ((39, 0, 0, 0, 0), "PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0"),
        ((40, 0x100), "PR_GET_TID_ADDRESS, 0x100"),
        ((41, 1, 2, 3, 4), "PR_SET_THP_DISABLE, 1, 0x2, 0x3, 0x4"),
        ((47, 1, 2, 3, 4), "PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_DAC_READ_SEARCH, 0x3, 0x4"),
        ((47, 2, 2, 3, 4), "PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0x3, 0x4"),
        ((47, 3, 2, 3, 4), "PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_DAC_READ_SEARCH, 0x3, 0x4"),
        ((47, 4, 2, 3, 4), "PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0x2, 0x3, 0x4"),
        ((52, 0, 2, 3, 4), "PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0x2, 0x3, 0x4"),
        (
            (53, 1, 2, 3, 4),
            "PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_ENABLE, 0x3, 0x4",
        ),
        ((0x59616D61, 7), "PR_SET_PTRACER, 7"),
        ((0x59616D61, -1), "PR_SET_PTRACER, PR_SET_PTRACER_ANY"),
        ((0x59616D61, 2**32 - 1), "PR_SET_PTRACER, PR_SET_PTRACER_ANY"),
        ((0x53564D41, 0, 2, 3, 4), "PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0x2, 3, 0x4"),
        ((99, 7, 2, 3, 4), "0x63 /* PR_??? */, 0x7, 0x2, 0x3, 0x4"),
    ],
)
def test_an_option_of_prctl_has_its_own_arguments(args: tuple[int, ...], text: str) -> None:
    assert shown("prctl", *args) == text


@pytest.mark.parametrize(
    ("option", "number", "text"),
    [
        (2, 1, "PR_GET_PDEATHSIG, [SIGHUP]"),
        (5, 1, "PR_GET_UNALIGN, [1]"),
        (9, 1, "PR_GET_FPEMU, [1]"),
        (11, 1, "PR_GET_FPEXC, [1]"),
        (19, 1, "PR_GET_ENDIAN, [1]"),
        (25, 1, "PR_GET_TSC, [PR_TSC_ENABLE]"),
        (37, -1, "PR_GET_CHILD_SUBREAPER, [-1]"),
    ],
)
def test_a_number_that_prctl_wrote(option: int, number: int, text: str) -> None:
    memory = [Piece(1, Phase.EXIT, 0x100, struct.pack("=i", number))]

    assert shown("prctl", option, 0x100, memory=memory) == text


@pytest.mark.parametrize("option", [3, 7, 21, 27, 30, 31, 32, 34, 42, 43, 44, 46, 51, 58, 56, 64])
def test_an_option_of_prctl_without_arguments(option: int) -> None:
    assert ", " not in shown("prctl", option, 1, 2, 3, 4, result=-22).partition(") = ")[0]


def test_a_name_for_memory_is_a_text() -> None:
    memory = [Piece(4, Phase.ENTRY, 0x200, b"heap\0")]

    assert shown("prctl", 0x53564D41, 0, 0x1000, 4096, 0x200, memory=memory) == (
        'PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0x1000, 4096, "heap"'
    )


@pytest.mark.parametrize(
    ("option", "phase", "name"),
    [(15, Phase.ENTRY, "PR_SET_NAME"), (16, Phase.EXIT, "PR_GET_NAME")],
)
def test_a_name_of_a_thread_has_at_most_15_bytes(option: int, phase: Phase, name: str) -> None:
    memory = [Piece(1, phase, 0x100, b"a" * 16)]

    assert shown("prctl", option, 0x100, memory=memory) == f'{name}, "{"a" * 15}"...'


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (0, "FUTEX_WAIT, 2, 0x3"),
        (1, "FUTEX_WAKE, 2"),
        (3, "FUTEX_REQUEUE, 2, 3, 0x2000"),
        (4, "FUTEX_CMP_REQUEUE, 2, 3, 0x2000, 1090527235"),
        (
            5,
            "FUTEX_WAKE_OP, 2, 3, 0x2000, FUTEX_OP_XOR<<28|0x2<<12|FUTEX_OP_CMP_NE<<24|0x3",
        ),
        (6, "FUTEX_LOCK_PI, 0x3"),
        (7, "FUTEX_UNLOCK_PI"),
        (8, "FUTEX_TRYLOCK_PI"),
        (9, "FUTEX_WAIT_BITSET, 2, 0x3, 0x41002003"),
        (10, "FUTEX_WAKE_BITSET, 2, 0x41002003"),
        (11, "FUTEX_WAIT_REQUEUE_PI, 2, 0x3, 0x2000"),
        (12, "FUTEX_CMP_REQUEUE_PI, 2, 3, 0x2000, 1090527235"),
        (13, "FUTEX_LOCK_PI2, 0x3"),
        (14, "0xe /* FUTEX_??? */, 2, 0x3, 0x2000, 0x41002003"),
        (128, "FUTEX_WAIT_PRIVATE, 2, 0x3"),
        (129, "FUTEX_WAKE_PRIVATE, 2"),
        (0x189, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, 0x3, 0x41002003"),
        (0x200, "FUTEX_WAIT|0x200, 2, 0x3"),
        (0x380, "FUTEX_WAIT_PRIVATE|FUTEX_CLOCK_REALTIME|0x200, 2, 0x3"),
    ],
)
def test_an_operation_of_a_futex_has_its_own_arguments(operation: int, text: str) -> None:
    assert shown("futex", 0x1000, operation, 2, 3, 0x2000, 0x41002003) == f"0x1000, {text}"


def test_a_futex_waits_for_any_bit_and_until_a_time() -> None:
    time = [Piece(3, Phase.ENTRY, 0x100, struct.pack("=2q", 1, 5))]

    assert shown("futex", 0x1000, 9, 2, 0x100, 0, 2**32 - 1, memory=time) == (
        "0x1000, FUTEX_WAIT_BITSET, 2, {tv_sec=1, tv_nsec=5}, FUTEX_BITSET_MATCH_ANY"
    )


def test_the_operand_of_a_futex_is_a_shift() -> None:
    assert shown("futex", 0x1000, 5, 2, 3, 0x2000, 0x8FFFEFFF).partition("0x2000, ")[2] == (
        "FUTEX_OP_OPARG_SHIFT<<28|FUTEX_OP_SET<<28|0xffe<<12|0xf /* FUTEX_OP_CMP_??? */<<24|0xfff"
    )


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "flags=0"),
        (17, "flags=SIGCHLD"),
        (9, "flags=SIGKILL"),
        (0x1011, "flags=CLONE_PIDFD|SIGCHLD, pidfd=[71]"),
        (0x80011, "flags=CLONE_SETTLS|SIGCHLD, tls=0x300"),
        (0x100011, "flags=CLONE_PARENT_SETTID|SIGCHLD, parent_tid=[71]"),
        (0x200011, "flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x200"),
        (0x1000011, "flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x200"),
        (
            0x1080100,
            "flags=CLONE_VM|CLONE_SETTLS|CLONE_CHILD_SETTID, tls=0x300, child_tidptr=0x200",
        ),
        (0x100000011, "flags=SIGCHLD"),
    ],
)
def test_clone_shows_what_its_flags_ask_for(flags: int, text: str) -> None:
    memory = [Piece(2, Phase.EXIT, 0x100, struct.pack("=i", 71))]

    line = shown("clone", flags, 0x7000, 0x100, 0x200, 0x300, result=71, memory=memory)
    assert line == f"child_stack=0x7000, {text}) = 71"


def test_clone_that_failed_wrote_no_number() -> None:
    assert shown("clone", 0x100011, 0, 0x100, result=-11) == (
        f"child_stack=NULL, flags=CLONE_PARENT_SETTID|SIGCHLD, parent_tid=0x100) = {AGAIN}"
    )


@pytest.mark.parametrize(
    ("flags", "before", "behind", "found"),
    [
        (0, "", "", ""),
        (0x1000, "pidfd=0x10, ", "", " => {pidfd=[5]}"),
        (0x1000000, "child_tid=0x20, ", "", ""),
        (0x200000, "child_tid=0x20, ", "", ""),
        (0x100000, "parent_tid=0x30, ", "", " => {parent_tid=[71]}"),
        (0x80000, "", ", tls=0x60", ""),
        (
            0x1101000,
            "pidfd=0x10, child_tid=0x20, parent_tid=0x30, ",
            "",
            " => {pidfd=[5], parent_tid=[71]}",
        ),
    ],
)
def test_clone3_shows_what_its_flags_ask_for(
    flags: int, before: str, behind: str, found: str
) -> None:
    fields = struct.pack("=11Q", flags, 0x10, 0x20, 0x30, 17, 0x40, 0x50, 0x60, 0, 0, 0)
    memory = [
        Piece(0, Phase.ENTRY, 0x100, fields),
        Piece(0, Phase.EXIT, 0x10, struct.pack("=i", 5)),
        Piece(0, Phase.EXIT, 0x30, struct.pack("=i", 71)),
    ]
    head, _, rest = shown("clone3", 0x100, 88, result=71, memory=memory).partition(", ")

    assert head.startswith("{flags=")
    assert rest == (
        f"{before}exit_signal=SIGCHLD, stack=0x40, stack_size=0x50{behind}}}{found}, 88) = 71"
    )


def test_clone3_needs_the_first_version_of_its_structure() -> None:
    memory = [Piece(0, Phase.ENTRY, 0x100, struct.pack("=8Q", 0, 0, 0, 0, 17, 64, 80, 0))]

    assert shown("clone3", 0x100, 64, memory=memory) == (
        "{flags=0, exit_signal=SIGCHLD, stack=0x40, stack_size=0x50}, 64"
    )
    assert shown("clone3", 0x100, 63, memory=memory) == "0x100, 63"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((0,), "PTRACE_TRACEME"),
        ((8, 7), "PTRACE_KILL, 7"),
        ((16, 7), "PTRACE_ATTACH, 7"),
        ((0x4207, 7), "PTRACE_INTERRUPT, 7"),
        ((7, 7, 2, 3), "PTRACE_CONT, 7, 0x2, 0x3"),
        ((0x4200, 7, 0, 3), "PTRACE_SETOPTIONS, 7, NULL, 0x3"),
    ],
)
def test_a_request_of_ptrace_has_its_own_arguments(args: tuple[int, ...], text: str) -> None:
    assert shown("ptrace", *args) == text


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((0x1001, 5), "ARCH_SET_GS, 0x5"),
        ((0x1002, 5), "ARCH_SET_FS, 0x5"),
        ((0x1003, 0x100), "ARCH_GET_FS, [0x4d]"),
        ((0x1004, 0x100), "ARCH_GET_GS, [0x4d]"),
        ((0x1004, 0x200), "ARCH_GET_GS, 0x200"),
        ((0x1011, 5), "ARCH_GET_CPUID"),
        ((0x1012, 10), "ARCH_SET_CPUID, 10"),
    ],
)
def test_the_base_of_a_segment(args: tuple[int, ...], text: str) -> None:
    memory = [Piece(1, Phase.EXIT, 0x100, struct.pack("=Q", 77))]

    assert shown("arch_prctl", *args, memory=memory) == text


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (0, "0 /* SYSLOG_ACTION_CLOSE */"),
        (2, '2 /* SYSLOG_ACTION_READ */, "abc", 6'),
        (3, '3 /* SYSLOG_ACTION_READ_ALL */, "abc", 6'),
        (4, '4 /* SYSLOG_ACTION_READ_CLEAR */, "abc", 6'),
        (5, "5 /* SYSLOG_ACTION_CLEAR */"),
        (7, "7 /* SYSLOG_ACTION_CONSOLE_ON */"),
        (8, "8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, 0x100, 6"),
        (9, "9 /* SYSLOG_ACTION_SIZE_UNREAD */"),
        (11, "11 /* SYSLOG_ACTION_??? */, 0x100, 6"),
        (-1, "-1 /* SYSLOG_ACTION_??? */, 0x100, 6"),
    ],
)
def test_an_action_of_the_log_of_the_kernel(action: int, text: str) -> None:
    memory = [Piece(1, Phase.EXIT, 0x100, b"abcdef")]

    assert shown("syslog", action, 0x100, 6, result=3, memory=memory) == f"{text}) = 3"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "IOPRIO_CLASS_NONE, 0"),
        (1 << 13 | 0x1FFF, "IOPRIO_CLASS_RT, 8191"),
        (2 << 13 | 4, "IOPRIO_CLASS_BE, 4"),
        (3 << 13, "IOPRIO_CLASS_IDLE, 0"),
    ],
)
def test_a_priority_of_io_is_a_class_and_a_level(value: int, text: str) -> None:
    assert shown("ioprio_set", 1, 7, value) == (f"IOPRIO_WHO_PROCESS, 7, IOPRIO_PRIO_VALUE({text})")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (0, "KCMP_FILE, 4, 5"),
        (1, "KCMP_VM"),
        (6, "KCMP_SYSVSEM"),
        (7, "KCMP_EPOLL_TFD, 0x4, 0x5"),
        (8, "0x8 /* KCMP_??? */, 0x4, 0x5"),
    ],
)
def test_what_is_compared_of_two_processes(kind: int, text: str) -> None:
    assert shown("kcmp", 1, 2, kind, 4, 5) == f"1, 2, {text}"


def test_a_barrier_is_for_one_cpu_if_its_flags_say_so() -> None:
    command = "MEMBARRIER_CMD_PRIVATE_EXPEDITED"

    assert shown("membarrier", 8, 0, 5) == f"{command}, 0"
    assert shown("membarrier", 8, 1, 5) == f"{command}, MEMBARRIER_CMD_FLAG_CPU, 5"


@pytest.mark.parametrize(
    ("result", "address", "size", "text"),
    [
        (0, 0x200, 16, "0x200"),
        (-4, 0x200, 16, "{tv_sec=3, tv_nsec=9}) = " + INTERRUPTED),
        (-4, 0x200, 15, "0x200) = " + INTERRUPTED),
        (-4, 0, 16, "NULL) = " + INTERRUPTED),
        (-516, 0x200, 16, "{tv_sec=3, tv_nsec=9}) = " + BLOCK),
        (-22, 0x200, 16, "0x200) = -1 EINVAL (Invalid argument)"),
        (-511, 0x200, 16, "0x200) = -1 (errno 511)"),
        (
            -512,
            0x200,
            16,
            "{tv_sec=3, tv_nsec=9}) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        ),
    ],
)
def test_what_is_left_of_a_sleep_is_said_if_it_was_interrupted(
    result: int, address: int, size: int, text: str
) -> None:
    memory = [
        Piece(0, Phase.ENTRY, 0x100, struct.pack("=2q", 1, 2)),
        Piece(1, Phase.EXIT, 0x200, struct.pack("=2q", 3, 9)[:size]),
    ]

    line = shown("nanosleep", 0x100, address, result=result, memory=memory)
    assert line == f"{{tv_sec=1, tv_nsec=2}}, {text}"


@pytest.mark.parametrize(
    ("version", "name", "effective", "permitted"),
    [
        (0x19980330, "_LINUX_CAPABILITY_VERSION_1", "", "1<<CAP_SETFCAP"),
        (
            0x20080522,
            "_LINUX_CAPABILITY_VERSION_3",
            "|1<<CAP_BPF|0x200",
            "1<<CAP_SETFCAP|1<<CAP_MAC_OVERRIDE",
        ),
    ],
)
def test_later_versions_have_more_capabilities(
    version: int, name: str, effective: str, permitted: str
) -> None:
    words = (1, 1 << 31, 0, 1 << 7 | 1 << 9, 1, 0)
    memory = [
        Piece(0, Phase.ENTRY, 0x100, struct.pack("=Ii", version, 7)),
        Piece(1, Phase.EXIT, 0x200, struct.pack("=6I", *words)),
    ]

    assert shown("capget", 0x100, 0x200, memory=memory) == (
        f"{{version={name}, pid=7}}, "
        f"{{effective={ANY_CAP}{effective}, permitted={permitted}, inheritable=0}}"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "PER_LINUX"),
        (8, "PER_LINUX32"),
        (0x40008, "PER_LINUX32|ADDR_NO_RANDOMIZE"),
        (0x20, "0x20 /* PER_??? */"),
        (2**32 - 1, "0xffffffff"),
    ],
)
def test_a_personality_is_a_kind_with_flags(value: int, text: str) -> None:
    assert shown("personality", value) == f"{text}) = 0 (PER_LINUX)"


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (0, "SCHED_OTHER"),
        (1, "SCHED_FIFO"),
        (2, "SCHED_RR"),
        (0x40000001, "SCHED_FIFO|SCHED_RESET_ON_FORK"),
        (9, "0x9 /* SCHED_??? */"),
        (0x40000009, "0x40000009 /* SCHED_??? */"),
    ],
)
def test_a_policy_of_the_scheduler(policy: int, text: str) -> None:
    memory = [Piece(2, Phase.ENTRY, 0x100, struct.pack("=i", -5))]

    assert shown("sched_setscheduler", 7, policy, 0x100, memory=memory) == f"7, {text}, [-5]"


def test_a_set_of_cpus_is_their_numbers() -> None:
    got = [Piece(2, Phase.EXIT, 0x100, b"\x05\0\0\0\0\0\0\x80")]
    given = [Piece(2, Phase.ENTRY, 0x100, b"\x05\x80")]

    assert shown("sched_getaffinity", 0, 8, 0x100, result=8, memory=got) == ("0, 8, [0 2 63]) = 8")
    assert shown("sched_setaffinity", 0, 2, 0x100, memory=given) == "0, 2, [0 2 15]"
    assert shown("sched_setaffinity", 0, 0, 0x100) == "0, 0, 0x100"


def test_the_names_of_the_system_are_all_shown_only_if_asked() -> None:
    names = (b"Linux", b"host", b"6.1", b"#1", b"x86_64", b"(none)")
    memory = [Piece(0, Phase.EXIT, 0x100, b"".join(name.ljust(65, b"\0") for name in names))]

    assert shown("uname", 0x100, memory=memory) == '{sysname="Linux", nodename="host", ...}'
    assert shown("uname", 0x100, memory=memory, verbose=True) == (
        '{sysname="Linux", nodename="host", release="6.1", version="#1", machine="x86_64",'
        ' domainname="(none)"}'
    )
