"""Any record that an engine could write, whether or not it makes sense where it comes."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from scopetrace.model.raw import RESULT_REFUSED, RESULT_UNKNOWN, Part, RawKind
from support.raw_builder import CALLS, pack_record, pack_stat, pack_tally, status_text, strings

PATHS = st.sampled_from([b"", b"/", b"a", b"../b", b"/x (deleted)", b"\xff\n", b"/dev/fd/3"])
PIDS = st.sampled_from([1, 2, 3, 4])
FDS = st.sampled_from([0, 1, 2, 3, 4, 2**32 - 1, 2**64 - 1, 2**31])
NUMBERS = st.one_of(FDS, PIDS, st.sampled_from([0x400, 0x10000, 0x50F00, 2**63, 1030]))
RESULTS = st.one_of(
    st.integers(-5, 8), st.sampled_from([RESULT_UNKNOWN, RESULT_REFUSED, -512, 2**40, 139, 0x7F])
)
CONTENTS = {
    Part.DATA: st.binary(max_size=20),
    Part.STAT: st.sampled_from([pack_stat(), pack_stat(0o104755, links=0), pack_stat(0, ino=9)]),
    Part.ARGV: st.sampled_from([b"", strings("a", "b"), b"cut"]),
    Part.ENVIRON: st.sampled_from([b"", strings("A=b")]),
    Part.STATUS: st.sampled_from([b"", b"Uid:\t1", status_text(no_new_privs=1)]),
    Part.FDS: st.lists(st.integers(0, 5), max_size=4).map(
        lambda fds: struct.pack(f"={len(fds)}I", *fds)
    ),
    Part.TALLY: st.just(pack_tally(1, 2, 3, 4, 5, 6)),
    Part.CONTROL: st.binary(max_size=40) | st.just(struct.pack("=Qiiii", 24, 1, 1, 3, 4)),
    Part.PAIR: st.tuples(st.integers(-1, 5), st.integers(-1, 5)).map(
        lambda pair: struct.pack("=ii", *pair)
    ),
    Part.HOW: st.binary(max_size=24),
    Part.IDS: st.binary(max_size=20),
    Part.CAPS: st.binary(max_size=4),
}
ANY_PARTS = st.fixed_dictionaries({}, optional={part: CONTENTS.get(part, PATHS) for part in Part})


@st.composite
def any_record(draw: st.DrawFn) -> bytes:
    """Draw one record of a few processes, which keep crossing each other's way."""
    pid = draw(PIDS)
    return pack_record(
        draw(st.sampled_from([*RawKind, *[RawKind.SYSCALL] * 8, RawKind.FORK, RawKind.EXIT])),
        call=draw(st.integers(0, len(CALLS) - 1)),
        pid=pid,
        tid=draw(st.just(pid) | PIDS),
        result=draw(RESULTS),
        args=draw(st.lists(NUMBERS, max_size=6)),
        fd_serial=draw(st.integers(0, 3)),
        parts=draw(ANY_PARTS),
    )
