"""What a recorder inherits and must not be bound by: the program's limits and its signals.

Nice value, scheduling policy, CPUs, I/O priority, cgroup and OOM score stay the program's: what the
recorder does, it does for the program, which waits for it. The umask and the folder are let go of
in `background.detach`.
"""

from __future__ import annotations

import resource
import signal
import threading
from contextlib import suppress

from scopetrace.errors import ScopeError

CPU_NEEDED_S = 60
"""With less CPU time than this, a recorder would soon be killed, and the program with it."""
CPU_SHARES = 2
"""One of so many is for recording, the rest for letting calls through when that has ended."""
_KEPT = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGKILL, signal.SIGSTOP)
"""The first two Python ignores, so that the calls fail instead; the others cannot be changed."""
_LIMITS = [
    getattr(resource, name)
    for name in dir(resource)
    if name.startswith("RLIMIT_") and name not in ("RLIMIT_CORE", "RLIMIT_OFILE")
]
_STACK_BYTES = 2 << 20
_MOST_FDS = 1 << 20
"""Above fs.nr_open the kernel refuses even root (setrlimit(2))."""


class Unfit(ScopeError):
    """This process cannot be a recorder."""


def reset_limits_and_signals() -> None:
    """Have limits as high as the kernel lets us, and signals as they are by default.

    Raises:
        Unfit: one is too low all the same.
    """
    for number in signal.valid_signals() - set(_KEPT):
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for which in _LIMITS:
        _raise(which)
    threading.stack_size(
        _STACK_BYTES
    )  # or each thread has what RLIMIT_STACK was (pthread_create(3))
    _limit_cpu_time()


def _raise(which: int) -> None:
    most = _MOST_FDS if which == resource.RLIMIT_NOFILE else resource.RLIM_INFINITY
    _, hard = resource.getrlimit(which)
    for limit in (most, hard):  # beyond the hard limit with CAP_SYS_RESOURCE only
        try:
            resource.setrlimit(which, (limit, limit if limit == most else hard))
        except (OSError, ValueError):
            continue
        return


def _limit_cpu_time() -> None:
    """Have much of a hard limit on CPU time left when recording ends: the calls go on stopping."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY:
        return
    if hard < CPU_NEEDED_S:
        raise Unfit(f"the recorder may use no more than {hard} s of CPU time (ulimit -t)")
    resource.setrlimit(resource.RLIMIT_CPU, (hard // CPU_SHARES, hard))
