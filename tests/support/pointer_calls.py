"""The list of calls that tests/tracees/pointers.c makes: what each argument of each call is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.copies import NONE
from scopetrace.syscalls.rows import Row, rows
from support.traced_calls import plans

_DENIED = """
exit exit_group fork vfork clone clone3 execve execveat
rt_sigreturn sigreturn rt_sigaction sigaction signal sigaltstack
kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal ptrace
sync syncfs fsync fdatasync sync_file_range reboot vhangup
munmap mremap mprotect pkey_mprotect mseal brk shmat shmdt remap_file_pages munlockall
rseq set_robust_list set_tid_address arch_prctl set_thread_area modify_ldt vm86 vm86old
setrlimit prlimit64
"""
DENIED = frozenset(_DENIED.split())
"""They would end, stop or harm the caller or others, whatever is copied of them."""
SIZED_REQUESTS = (0x8004_7601, 0xC004_7601, 0x4004_7601, 0xFFFF_7601, 0x8048_7601)
"""Requests of ioctl(2) that say their size: 4 bytes, all that fits, 72."""
LETTERS = {"fd": "f", "dirfd": "f", "size": "l"}


def _lengths(row: Row) -> set[int]:
    """Return the places of arguments by which other ones are measured."""
    names = {argument.name: place for place, argument in enumerate(row.arguments)}
    params = (param for argument in row.arguments for param in argument.kind.params)
    return {names[param] for param in params if param in names}


def _choices(row: Row, abi: Abi) -> dict[int, list[int]]:
    """Return place → the values at which something is copied."""
    found = defaultdict[int, list[int]](list)
    for copy in plans().get((abi, row.numbers[abi] or 0), []):
        if copy.when != NONE and copy.value not in found[copy.when]:
            found[copy.when].append(copy.value)
    if row.name == "ioctl":
        found[1] += SIZED_REQUESTS
    return found


def _kinds(row: Row, abi: Abi) -> Iterator[str]:
    lengths, choices = _lengths(row), _choices(row, abi)
    for place, argument in enumerate(row.arguments[:6]):
        if place in choices:
            yield "=" + ",".join(map(str, choices[place][:48]))
        elif argument.kind.phases:
            yield "p"
        else:
            letter = LETTERS.get(argument.kind.name, "x")
            yield "l" if place in lengths and letter == "x" else letter


def pointer_calls() -> list[str]:
    """Return a line for each call of each ABI of which memory is copied."""
    return [
        " ".join([str(int(abi)), str(row.numbers[abi]), *[*_kinds(row, abi), *"xxxxxx"][:6]])
        for row in rows()
        for abi in Abi
        if row.numbers[abi] is not None
        and row.name not in DENIED
        and any(argument.kind.phases for argument in row.arguments)
    ]
