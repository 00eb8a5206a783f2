"""Decoding: raw records in, operations out.

What a record means depends on those before it: processes, working directories, fds, sockets. It
comes in by `Decoder.decode` (decoder.py), which looks up the handler of its call or kind; the
handler changes the `State` (state.py) and emits operations by the callable that the decoder was
given. The tracee, the file system and the configuration are not asked.

Handlers are named `on_` and the call, or the first call of its family, or the kind of record:
on_open, on_recvmsg, on_tally. Where to look for a call: its name in the `CALLS` at the end of a
module, else its group (`GROUPS`) or the direction in which it transfers bytes (`DIRECTIONS`).
"""
