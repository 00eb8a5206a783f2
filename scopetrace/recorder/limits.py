"""Resource limits and signals that the recorder inherits from the program, and resets.

Nice value, scheduling policy, CPUs, I/O priority, cgroup and OOM score stay the program's: the
recorder works for the program, which waits for it. `background.detach` resets umask and folder.
"""

from __future__ import annotations

import resource
import signal
import threading
from contextlib import suppress

from scopetrace.errors import ScopeError

CPU_NEEDED_S = 60
"""With a lower limit on CPU time (s), the kernel would soon kill the recorder and the program."""
CPU_SHARES = 2
"""The recorder records for 1/CPU_SHARES of its CPU time; the rest is for letting calls through."""
_KEPT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGKILL, signal.SIGSTOP)
"""Python ignores the first two, so that calls fail instead; the other two cannot be changed."""
_LIMITS = [
    getattr(resource, name)
    for name in dir(resource)
    if name.startswith("RLIMIT_") and name not in ("RLIMIT_CORE", "RLIMIT_OFILE")
]
_STACK_BYTES = 2 << 20
_MOST_FDS = 1 << 20
"""RLIMIT_NOFILE to ask for; above fs.nr_open the kernel refuses even root (setrlimit(2))."""


class Unfit(ScopeError):
    """A limit of this process is too low for a recorder."""


def reset_limits_and_signals() -> None:
    """Raise all resource limits as far as the kernel allows, and reset signals to their defaults.

    Raises:
        Unfit: the limit on CPU time is too low.
    """
    for number in signal.valid_signals() - set(_KEPT_SIGNALS):
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for which in _LIMITS:
        _raise(which)
    # Otherwise the stack of each thread has the size of RLIMIT_STACK (pthread_create(3)).
    threading.stack_size(_STACK_BYTES)
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
    """Have SIGXCPU end the recording while CPU time is left: calls must still be resumed."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY:
        return
    if hard < CPU_NEEDED_S:
        raise Unfit(f"the recorder may use no more than {hard} s of CPU time (ulimit -t)")
    resource.setrlimit(resource.RLIMIT_CPU, (hard // CPU_SHARES, hard))
