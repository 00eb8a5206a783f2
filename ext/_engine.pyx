# cython: language_level=3, binding=False
"""The Python interface of the engine in ext/: converts types, raises errors, decides nothing."""

import os

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from arch.abi cimport ABIS
from call.sockets cimport borrow_fd as c_borrow_fd
from ptrace.engine cimport (
    STOP_RECORDING,
    STOP_TRACING,
    engine,
    engine_abandon,
    engine_acknowledge,
    engine_create,
    engine_destroy,
    engine_mute,
    engine_options,
    engine_ring,
    engine_run,
    engine_stop,
    engine_flush_tallies,
)
from ptrace.launch cimport allow_tracer as c_allow_tracer
from ptrace.launch cimport (
    LAUNCH_UNFILTERED,
    launch,
    launch_,
    launcher,
    launcher_create,
    launcher_exec,
    launcher_tid,
)
from ptrace.launch cimport refuse_inspection as c_refuse_inspection
from ptrace.launch cimport retitle as c_retitle
from ptrace.seccomp cimport FILTER_MAX, filter_build, sock_filter
from table.copy_plan cimport copy_plan, copy_plan_new, copy_row
from table.syscalls cimport (
    CALLS,
    GROUP_NAMES,
    ROW_COUNT,
    TRANSFER_ACROSS,
    TRANSFER_IN,
    TRANSFER_OUT,
    call,
)
from record.record cimport (
    raw_calls,
    raw_excess,
    raw_limit,
    raw_part,
    raw_record,
    raw_socket,
    raw_ids,
    raw_space,
    raw_stat,
    raw_step,
    raw_tally,
)
from record.ring cimport ring_ended, ring_has_more, ring_read, ring_wait

cdef extern from *:
    """
    #include SCOPE_ARCH_H
    """
    const char *ARCH_NAME

MACHINE = ARCH_NAME.decode()


cdef int check(int status) except -1:
    """Raise the OSError for a negative errno; pass anything else through."""
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return status


DIRECTIONS = {TRANSFER_IN: "in", TRANSFER_OUT: "out", TRANSFER_ACROSS: "across"}


cdef dict positions(const call *row):
    """Return {argument: position, from 1} of a row, without the arguments that it has not."""
    found = {
        "fd": row.fd,
        "fd2": row.fd2,
        "path": row.path,
        "path2": row.path2,
        "dirfd": row.dirfd,
        "dirfd2": row.dirfd2,
        "makes_fd": row.makes_fd,
        "pair": row.pair,
        "how": row.how,
        "buffer": row.buffer,
        "length": row.length,
        "vector": row.vector,
        "count": row.count,
        "message": row.message,
        "messages": row.messages,
        "address": row.address,
        "options": row.options,
        "value": row.value,
        "at_flags": row.at_flags,
    }
    return {name: position for name, position in found.items() if position}


def calls():
    """Return (name, group, direction, positions) of each row of syscalls.def, in row order.

    direction: how the call transfers bytes: in, out, across, or empty.
    positions: {argument: its position, counted from 1}; the arguments are named as in syscalls.def.
    """
    return tuple(
        (
            CALLS[row].name.decode(),
            GROUP_NAMES[CALLS[row].group].decode(),
            DIRECTIONS.get(CALLS[row].transfer, ""),
            positions(&CALLS[row]),
        )
        for row in range(ROW_COUNT)
    )


def abis():
    """Return (name, audit number, {call: number}) of each ABI that programs can use here."""
    found = []
    cdef int at = 0
    while ABIS[at].name != NULL:
        numbers = {
            CALLS[row].name.decode(): ABIS[at].numbers[row] | ABIS[at].mark
            for row in range(ROW_COUNT)
            if ABIS[at].numbers[row] >= 0
        }
        found.append((ABIS[at].name.decode(), ABIS[at].audit_arch, numbers))
        at += 1
    return tuple(found)


def layout():
    """Return the size of each struct of record.h, and the offset of each member."""
    cdef raw_record r
    cdef raw_part p
    cdef raw_stat s
    cdef raw_socket k
    cdef raw_tally t
    cdef raw_calls c
    cdef raw_step e
    cdef raw_limit l
    cdef raw_space sp
    cdef raw_excess x
    cdef raw_ids i
    cdef char *base = <char *>&r
    found = {
        "sizeof raw_record": sizeof(raw_record),
        "sizeof raw_part": sizeof(raw_part),
        "sizeof raw_stat": sizeof(raw_stat),
        "sizeof raw_tally": sizeof(raw_tally),
        "raw_record.size": <char *>&r.size - base,
        "raw_record.kind": <char *>&r.kind - base,
        "raw_record.syscall": <char *>&r.syscall - base,
        "raw_record.pid": <char *>&r.pid - base,
        "raw_record.tid": <char *>&r.tid - base,
        "raw_record.entered_ns": <char *>&r.entered_ns - base,
        "raw_record.elapsed_ns": <char *>&r.elapsed_ns - base,
        "raw_record.result": <char *>&r.result - base,
        "raw_record.args": <char *>&r.args - base,
        "raw_record.fd_serial": <char *>&r.fd_serial - base,
        "raw_record.copied": <char *>&r.copied - base,
        "raw_record.transferred": <char *>&r.transferred - base,
        "raw_part.size": <char *>&p.size - <char *>&p,
        "raw_part.kind": <char *>&p.kind - <char *>&p,
        "raw_part.flags": <char *>&p.flags - <char *>&p,
        "raw_stat.dev": <char *>&s.dev - <char *>&s,
        "raw_stat.ino": <char *>&s.ino - <char *>&s,
        "raw_stat.size": <char *>&s.size - <char *>&s,
        "raw_stat.rdev": <char *>&s.rdev - <char *>&s,
        "raw_stat.mode": <char *>&s.mode - <char *>&s,
        "raw_stat.uid": <char *>&s.uid - <char *>&s,
        "raw_stat.gid": <char *>&s.gid - <char *>&s,
        "raw_stat.links": <char *>&s.links - <char *>&s,
        "raw_stat.born_ns": <char *>&s.born_ns - <char *>&s,
        "sizeof raw_socket": sizeof(raw_socket),
        "raw_socket.domain": <char *>&k.domain - <char *>&k,
        "raw_socket.type": <char *>&k.type - <char *>&k,
        "raw_socket.protocol": <char *>&k.protocol - <char *>&k,
        "raw_socket.listening": <char *>&k.listening - <char *>&k,
        "raw_socket.inode": <char *>&k.inode - <char *>&k,
        "raw_socket.peer_inode": <char *>&k.peer_inode - <char *>&k,
        "sizeof raw_calls": sizeof(raw_calls),
        "raw_calls.syscall": <char *>&c.syscall - <char *>&c,
        "raw_calls.outgoing": <char *>&c.outgoing - <char *>&c,
        "raw_calls.calls": <char *>&c.calls - <char *>&c,
        "raw_calls.bytes": <char *>&c.bytes - <char *>&c,
        "raw_calls.ns": <char *>&c.ns - <char *>&c,
        "sizeof raw_step": sizeof(raw_step),
        "raw_step.mode": <char *>&e.mode - <char *>&e,
        "raw_step.uid": <char *>&e.uid - <char *>&e,
        "raw_step.gid": <char *>&e.gid - <char *>&e,
        "raw_step.path": <char *>&e.path - <char *>&e,
        "raw_step.attributes": <char *>&e.attributes - <char *>&e,
        "sizeof raw_limit": sizeof(raw_limit),
        "raw_limit.resource": <char *>&l.resource - <char *>&l,
        "raw_limit.soft": <char *>&l.soft - <char *>&l,
        "raw_limit.hard": <char *>&l.hard - <char *>&l,
        "sizeof raw_space": sizeof(raw_space),
        "raw_space.files": <char *>&sp.files - <char *>&sp,
        "raw_space.free_files": <char *>&sp.free_files - <char *>&sp,
        "sizeof raw_excess": sizeof(raw_excess),
        "raw_excess.place": <char *>&x.place - <char *>&x,
        "raw_excess.number": <char *>&x.number - <char *>&x,
        "raw_excess.size": <char *>&x.size - <char *>&x,
        "raw_excess.limit": <char *>&x.limit - <char *>&x,
        "sizeof raw_ids": sizeof(raw_ids),
        "raw_ids.ppid": <char *>&i.ppid - <char *>&i,
        "raw_ids.pgid": <char *>&i.pgid - <char *>&i,
        "raw_ids.uid": <char *>&i.uid - <char *>&i,
        "raw_ids.gid": <char *>&i.gid - <char *>&i,
        "raw_tally.reads": <char *>&t.reads - <char *>&t,
        "raw_tally.read_bytes": <char *>&t.read_bytes - <char *>&t,
        "raw_tally.read_ns": <char *>&t.read_ns - <char *>&t,
        "raw_tally.writes": <char *>&t.writes - <char *>&t,
        "raw_tally.write_bytes": <char *>&t.write_bytes - <char *>&t,
        "raw_tally.write_ns": <char *>&t.write_ns - <char *>&t,
    }
    return found


cdef int fill_modes(uint8_t *rows, modes) except -1:
    """Translate {group: mode} into a mode for each row."""
    for row in range(ROW_COUNT):
        rows[row] = modes.get(GROUP_NAMES[CALLS[row].group].decode(), 0)
    return 0


cdef copy_plan *new_plan(whole) except? NULL:
    """Return the plan of `WholeCalls`, or NULL if no call is recorded whole."""
    cdef bytes arguments, copies

    if whole is None:
        return NULL
    arguments, others, copies, snaplen = whole
    if len(arguments) != 3 * 1024 or len(copies) % sizeof(copy_row):
        raise ValueError("no plan of copying")
    plan = copy_plan_new(
        <copy_row *>PyBytes_AsString(copies),
        len(copies) // sizeof(copy_row),
        <const uint8_t (*)[1024]>PyBytes_AsString(arguments),
        others,
        snaplen,
    )
    if plan == NULL:
        raise MemoryError
    return plan


def build_filter(modes, whole=None, *, bint gate=False):
    """Return the seccomp program, as bytes, that stops the calls of the groups in `modes`.

    Args:
        modes: {group: 0 off, 1 failures only, 2 all}; groups left out are off.
        whole: which calls are recorded whole, as `Engine` takes it; they stop as well.
        gate: calls that programs make in the gate do not stop; with `whole` there are none.
    """
    cdef uint8_t rows[ROW_COUNT]
    cdef sock_filter program[FILTER_MAX]

    fill_modes(rows, modes)
    cdef copy_plan *plan = new_plan(whole)
    status = filter_build(rows, plan, gate, program)
    free(plan)
    length = check(status)
    return PyBytes_FromStringAndSize(<char *>program, length * sizeof(sock_filter))


cdef class _Strings:
    """A NULL-terminated array of C strings that keeps its strings alive."""

    cdef char **items
    cdef list owned

    def __cinit__(self, strings):
        self.owned = list(strings)
        self.items = <char **>calloc(len(self.owned) + 1, sizeof(char *))
        if self.items == NULL:
            raise MemoryError
        for i in range(len(self.owned)):
            self.items[i] = PyBytes_AsString(self.owned[i])

    def __dealloc__(self):
        free(self.items)


cdef class _Launch:
    """A struct launch (launch.h) and the objects that it points to."""

    cdef launch_ what
    cdef bytes path, program
    cdef _Strings arguments, environment

    def __cinit__(self, bytes path, argv, envp, bytes program):
        self.path, self.program = path, program
        self.arguments, self.environment = _Strings(argv), _Strings(envp)
        self.what.path = PyBytes_AsString(path)
        self.what.argv = self.arguments.items
        self.what.envp = self.environment.items
        self.what.filter = <sock_filter *>PyBytes_AsString(program)
        self.what.length = <unsigned short>(len(program) // sizeof(sock_filter))


def become(bytes path, argv, envp, bytes program=b""):
    """Turn this process into `path`; see launch.h. Returns if it cannot be traced.

    Args:
        path: of the program file.
        argv, envp: lists of bytes; envp as "NAME=value".
        program: what `build_filter` returned; empty: no filter, and no tracer.

    Raises:
        OSError: the file could not be executed.
    """
    cdef _Launch it = _Launch(path, argv, envp, program)

    check(launch(&it.what))


cdef class Launcher:
    """A thread that can turn this process into a program, and is traced instead of its creator.

    Raises:
        MemoryError: there is no room for it.
    """

    cdef launcher *launcher

    def __cinit__(self):
        check(launcher_create(&self.launcher))

    @property
    def tid(self):
        """The thread to trace."""
        return launcher_tid(self.launcher)

    def become(self, bytes path, argv, envp, bytes program):
        """Do as the function of that name does; if it returns, this process has no filter.

        Returns whether the kernel took the filter: then the tracer has ended.
        """
        cdef _Launch it = _Launch(path, argv, envp, program)

        return check(launcher_exec(self.launcher, &it.what)) != LAUNCH_UNFILTERED


def allow_tracer(int pid):
    """Let a process that is no ancestor trace this one (Yama's ptrace_scope 1)."""
    c_allow_tracer(pid)


def borrow_fd(int pid, int fd):
    """Return a copy of a descriptor of a process that we trace (pidfd_getfd(2), Linux 5.6).

    Raises:
        OSError: there is no such process or descriptor, or the kernel is too old.
    """
    return check(c_borrow_fd(pid, fd))


def refuse_inspection():
    """Let no unprivileged process read or trace this one."""
    c_refuse_inspection()


def retitle(str title):
    """Show `title` as the command line of this process in ps and /proc."""
    c_retitle(PyBytes_AsString(title.encode()))


cdef class Engine:
    """One traced command. `run` belongs to one thread, the rest to another.

    Args:
        modes: {group: 0 off, 1 failures only, 2 all}; groups left out are off.
        snaplen: most bytes copied of one write.
        flow_snaplen: most bytes copied of what goes through a socket at once; 0: snaplen.
        args_limit: most bytes copied of a command line.
        env_limit: most bytes copied of an environment.
        environment: copy the environment at exec.
        counts: write how often calls were made that make no record (COUNT).
        gate_verify: compare some of the records of such calls with those of traced ones (NOTE).
        gate_at: at which of its calls a program is enabled to make further ones without stops; 0:
            never.
        leaves: write the state of each process before it ends (LEAVE).
        whole: which calls are recorded whole (CALL), a tuple as `model.call_set.WholeCalls`, or None.
        ring_size: bytes; a power of two, at least 1 MiB, 4 times the larger snaplen, and 1 MiB
            more than a command line and an environment.

    Raises:
        ValueError: the ring is too small.
        MemoryError: there is no room for it.
    """

    cdef engine *engine

    def __cinit__(
        self,
        modes,
        *,
        snaplen=65536,
        flow_snaplen=0,
        args_limit=1 << 21,
        env_limit=1 << 18,
        environment=False,
        counts=False,
        gate_at=0,
        gate_verify=False,
        leaves=False,
        whole=None,
        ring_size=1 << 22,
    ):
        cdef engine_options options

        memset(&options, 0, sizeof(options))
        fill_modes(options.calls.modes, modes)
        options.calls.snaplen = snaplen
        options.calls.flow_snaplen = flow_snaplen or snaplen
        options.args_limit = args_limit
        options.env_limit = env_limit
        options.environment = environment
        options.calls.counts = counts
        options.gate_at = gate_at
        options.gate_verify = gate_verify
        options.leaves = leaves
        options.ring_size = ring_size
        options.plan = new_plan(whole)
        status = engine_create(&options, &self.engine)
        if status < 0:
            free(options.plan)
        check(status)

    def __dealloc__(self):
        engine_destroy(self.engine)

    def run(self, int pid, int go_fd, int tid=0):
        """Seize `pid`, write a byte to `go_fd` and close it, and trace until all has ended.

        Args:
            pid: the process that becomes the program.
            go_fd: where it waits.
            tid: its thread that will exec; by default its only one.

        Raises:
            PermissionError: tracing was refused.
            ProcessLookupError: there is no such process.
            OSError: waiting failed.
        """
        cdef int status
        with nogil:
            status = engine_run(self.engine, pid, tid or pid, go_fd)
        check(status)

    def read(self, size_t enough=65536, int timeout_ms=50, size_t most=1 << 20):
        """Return whole records, as bytes: at least `enough` bytes, or fewer if they are urgent or
        `timeout_ms` have passed; `most` bytes at most, unless the first record is longer. Empty:
        there were no records, or recording has `ended`.
        """
        cdef size_t size
        cdef bytes batch
        cdef char *buffer

        with nogil:
            size = ring_wait(engine_ring(self.engine), enough, most, timeout_ms)
        batch = PyBytes_FromStringAndSize(NULL, size)
        buffer = PyBytes_AsString(batch)
        ring_read(engine_ring(self.engine), buffer, size)
        return batch

    def mute(self, uint64_t serial):
        """Copy no more bytes of the fd with this serial (`fd_serial`); they are still counted."""
        engine_mute(self.engine, serial)

    def flush_tallies(self):
        """Ask for a TALLY record of every fd that was used since the last flush. Asynchronous."""
        engine_flush_tallies(self.engine)

    def acknowledge(self):
        """Confirm that everything up to the last SYNC record is committed."""
        engine_acknowledge(self.engine)

    @property
    def has_more(self):
        """Whether there are records that were not read."""
        return ring_has_more(engine_ring(self.engine))

    @property
    def ended(self):
        """Whether all records that will ever come were read."""
        return ring_ended(engine_ring(self.engine))

    def stop_recording(self):
        """Write the tallies of open fds and END, then let calls of the program through. Call again
        until it has `ended`: a request just before the tracer begins to wait may not wake it.
        """
        engine_stop(self.engine, STOP_RECORDING)

    def stop_tracing(self):
        """The same, and let `run` return; the program ends with this process."""
        engine_stop(self.engine, STOP_TRACING)

    def abandon(self):
        """Write no more records, whether or not they are read; let calls of the program through."""
        engine_abandon(self.engine)
