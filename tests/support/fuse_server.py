"""Serves a file system of its own to a child that asks for names that are not in it.

The kernel keeps nothing that this server says (all its times are 0), so each lookup waits for it.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
import threading

INIT, LOOKUP, GETATTR, FORGET, BATCH_FORGET = 26, 1, 3, 2, 42
"""Of enum fuse_opcode, as the structs below of include/uapi/linux/fuse.h."""
REQUEST = struct.Struct("=IIQQIIII")
ANSWER = struct.Struct("=IiQ")
FOLDER, NAME = 0o40755, b"dir"
ENOENT, ENOSYS, MNT_DETACH = 2, 38, 2

ASK = """
import os, sys
top = sys.argv[1]
os.chdir(top + "/dir")
for name in (top + "/dir/absent", "absent", "../absent"):
    try:
        open(name)
    except FileNotFoundError:
        print(name)
"""


def attributes(node: int) -> bytes:
    """Lay out a struct fuse_attr."""
    return struct.pack("=6Q10I", node, *[0] * 8, FOLDER, 2, 0, 0, 0, 4096, 0)


def answer(code: int, node: int, body: bytes) -> tuple[int, bytes]:
    """Return the error and the bytes that a request is answered with."""
    if code == INIT:
        return 0, struct.pack("=IIIIHHIIHH8I", 7, 31, 0, 0, 0, 0, 1 << 16, 1, 0, 0, *[0] * 8)
    if code == GETATTR:
        return 0, struct.pack("=QII", 0, 0, 0) + attributes(node)
    if code == LOOKUP and body.rstrip(b"\0") == NAME:
        return 0, struct.pack("=QQQQII", 2, 1, 0, 0, 0, 0) + attributes(2)
    return -(ENOENT if code == LOOKUP else ENOSYS), b""


def serve(device: int) -> None:
    """Answer until the file system is unmounted; each answer takes a call that is watched."""
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return
        _size, code, unique, node, *_ = REQUEST.unpack_from(request)
        os.close(os.open("/dev/null", os.O_RDONLY))
        if code not in (FORGET, BATCH_FORGET):
            error, body = answer(code, node, request[REQUEST.size :])
            os.write(device, ANSWER.pack(ANSWER.size + len(body), error, unique) + body)


def main(top: str) -> int:
    """Mount, serve and ask; return what the child ended with."""
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"test", top.encode(), b"fuse", 0, options.encode()):
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    threading.Thread(target=serve, args=(device,), daemon=True).start()
    status = subprocess.run([sys.executable, "-c", ASK, top], check=False).returncode
    libc.umount2(top.encode(), MNT_DETACH)
    return status


sys.exit(main(sys.argv[1]))
