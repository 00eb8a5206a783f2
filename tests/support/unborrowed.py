"""Runs a command that cannot borrow descriptors, as in containers: unborrowed.py COMMAND...

A seccomp filter (seccomp(2)) makes pidfd_getfd fail with EPERM, for the command and all it starts.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

PIDFD_GETFD = 438
LOAD_NUMBER, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2

if __name__ == "__main__":
    code = b"".join(
        struct.pack("=HBBI", *each)
        for each in (
            (LOAD_NUMBER, 0, 0, 0),
            (EQUAL, 0, 1, PIDFD_GETFD),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        )
    )
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, FILTER, program, 0, 0):
        sys.exit(os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[1], sys.argv[1:])
