"""The one table of event fields: for each source its events, and the data fields they may have.

The views of the session file, the names that `--where` and `--sort` know, the types of both, the
command `fields` and docs/events.md derive from here (`make docs` writes that file; a test compares
the two). To add an event or a field, add a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

TEXT, INTEGER, NUMBER, BOOLEAN, LIST = "text", "integer", "number", "boolean", "list"


class Field(NamedTuple):
    """One data field of an event."""

    name: str
    type: str
    """text, integer, number, boolean or list: the types of JSON, whole numbers apart."""
    meaning: str
    """What it says, and when it is left out; a phrase in Markdown."""
    unit: str = ""


class Source(NamedTuple):
    """The events of one source, or of one sourcetype whose sources cannot be listed."""

    view: str
    """Name of its view in the session file."""
    column: str
    """Which column of `event` selects its events: source, or sourcetype where the sources are paths
    or names that cannot be listed."""
    name: str
    """The value of that column."""
    sourcetype: str
    meaning: str
    """When there is such an event; a sentence in Markdown."""
    fields: tuple[Field, ...]


def _text(name: str, meaning: str) -> Field:
    return Field(name, TEXT, meaning)


def _integer(name: str, meaning: str, unit: str = "") -> Field:
    return Field(name, INTEGER, meaning, unit)


def _number(name: str, meaning: str, unit: str = "") -> Field:
    return Field(name, NUMBER, meaning, unit)


def _true(name: str, meaning: str) -> Field:
    return Field(name, BOOLEAN, f"{meaning}; left out otherwise")


def _list(name: str, meaning: str) -> Field:
    return Field(name, LIST, meaning)


BODY = (
    _integer("id", "number of the event in its session, from 1"),
    _text("sourcetype", "kind of event, as `type` of a rule in scope.yml"),
    _number("_time", "when it happened: Unix time, to the microsecond", "s"),
    _text("source", "name of the event; of `console` and `file` where the text was written"),
    _text("host", "name of the machine"),
    _text("proc", "base name of the program that the process ran"),
    _text("cmd", "its command line, as one text"),
    _integer("pid", "process id, in the PID namespace of the recorder"),
    _integer("uid", "effective user id of the process"),
    _integer("gid", "effective group id of the process"),
    _text("username", "name of that user"),
    _text("groupname", "name of that group"),
    _list("args", "the arguments of the program, its name first"),
    Field("data", "object", "the fields below"),
)
"""What every event has, in this order (wire/ndjson.py); tags of scope.yml stand beside these."""

OP = _text("op", "the system call, as in its manual page (`openat`, `dup2`, `sendfile`…)")
FILE = _text("file", "path of the file, as the kernel names it")
FILE_PASSED = _text("file_passed", "path as the program passed it; left out if it is the same")
FD = _integer("fd", "file descriptor")
ERROR = _text(
    "error",
    'name of the errno ("ENOENT"); "seccomp" if a seccomp filter of the program refused the call',
)
MESSAGE = (
    _text(
        "message",
        "what one write wrote, line ends included"
        " ([how it is divided](internals.md#how-is-text-divided-into-events))",
    ),
    _integer("piece", "which piece of a text longer than 32,768 characters this is, from 1"),
    _integer("pieces", "how many pieces that text has"),
    _integer("missing", "how much of the same write followed and was not recorded", "bytes"),
)
ENHANCED = (
    _integer("proc_uid", "effective user id of the process; needs `enhancefs`"),
    _integer("proc_gid", "effective group id of the process; needs `enhancefs`"),
    _integer("file_perms", "permissions in octal digits (644); needs `enhancefs`"),
    _integer("file_owner", "user id of the file's owner; needs `enhancefs`"),
    _integer("file_group", "group id of the file; needs `enhancefs`"),
)
ASKER = (
    _text(
        "needs",
        "the right that was missing: read, write, search or execute; owner, where only the owner"
        ' may; or a capability ("CAP_SETUID")',
    ),
    _integer("asked_uid", "of a call that was refused: user id that counted"),
    _integer("asked_gid", "group id that counted"),
)
LIMIT = (
    _text(
        "limit_name",
        'the limit that was reached ("RLIMIT_NOFILE"; "pids.max" of cgroups(7); a sysctl)',
    ),
    _integer("limit_value", "its value, in the unit of getrlimit(2)"),
)
HOLDER = (
    _integer(
        "holder_pid", "process id of who has the port, the lock, the file or the mount, if found"
    ),
    _text("holder_cmd", "its command line"),
)
REFUSED = (
    _text(
        "missing_folder", "the first folder on the way that is not there, or the last link to it"
    ),
    _text("link_target", "of a symbolic link that leads to nothing: where it leads"),
    _text("refused_by", "the file or folder that refused"),
    _integer("refused_uid", "user id of its owner"),
    _text("refused_user", "name of its owner"),
    _integer("refused_gid", "its group id"),
    _text("refused_group", "name of its group"),
    _integer("refused_mode", "its permissions in octal digits (640)"),
    _text(
        "obstacle",
        "what refuses other than the mode: sticky, immutable, append_only, acl, noexec, nodev,"
        " no_folder (it is no folder), link (it is a symbolic link, which was not to be followed),"
        " protected_regular and protected_hardlinks (of sysctl), time_wait (a connection that ended"
        " a moment ago has the port), left_there (the file of a unix socket is there already),"
        " no_inodes (the file system cannot have more files), mounted (it is a mount point),"
        " not_traceable (it is a link to what a process uses, which it may not trace)",
    ),
    _text("mount_point", "where the file system is mounted that is full or refuses"),
    _text("detail", "what is wrong with the arguments of the call, in words"),
)
EVIDENCE_OF_SOCKETS = (*REFUSED, *ASKER, *LIMIT, *HOLDER)
EVIDENCE = (
    *EVIDENCE_OF_SOCKETS,
    _text("interpreter", "of exec: the interpreter that the file names (#! or ELF)"),
    _text("machine", 'of exec with ENOEXEC: the machine that the file is for ("AArch64")'),
)
"""What was seen of the reason of a failure; left out if it is not known or does not apply."""
ENDS = (
    _text("net_transport", "kind of socket: IP.TCP, IP.UDP, Unix.TCP, Unix.UDP…"),
    _text("net_peer_name", "name by which this process looked the peer's address up"),
    _text(
        "net_peer_ip",
        "address of the peer; an IPv6 link-local one with the number of its interface (fe80::1%2),"
        " of vsock the context id, of a packet socket the hardware address",
    ),
    _integer("net_peer_port", "port of the peer"),
    _text("net_host_ip", "address of this side, written as `net_peer_ip` is"),
    _integer("net_host_port", "port of this side"),
    _integer("net_peer_interface", "number of the peer's interface; of packet sockets"),
    _integer("net_host_interface", "number of this side's interface; of packet sockets"),
    _text("unix_peer_path", "path of the peer's unix socket, where it is now"),
    _text("unix_peer_bind_path", "path that the kernel knows it by; left out if it is the same"),
    _integer("unix_peer_inode", "inode of the peer's unix socket"),
    _text("unix_local_path", "path of this side's unix socket, where it is now"),
    _text("unix_local_bind_path", "path that the kernel knows it by; left out if it is the same"),
    _integer("unix_local_inode", "inode of this side's unix socket"),
    _text("net_client_ip", "address of the true client, from the header of the PROXY protocol"),
    _integer("net_client_port", "port of the true client"),
    _text(
        "net_target_host",
        "whom the client wants to reach through this proxy (PROXY protocol, SOCKS, CONNECT)",
    ),
    _integer("net_target_port", "port there"),
)
"""Between whom a connection is; each is left out if it is not known or does not apply."""
HTTP_USER_AGENT = _text("http_user_agent", "value of `User-Agent`")
HTTP_REQUEST = (
    _text("http_method", "GET, POST…"),
    _text("http_target", "target of the request, with its query"),
    _text("http_flavor", 'version: "1.0", "1.1", "2.0"'),
    _text("http_scheme", "http or https"),
    _text("http_host", "value of `Host` or `:authority`"),
    _true(
        "http_after_loss",
        "true if bytes before it, or before its request, are missing, so that its start was found"
        " by its form",
    ),
    _true(
        "http_truncated",
        "true if its header is longer than 64 KiB: the target is cut and some fields are missing",
    ),
    _integer("http_stream", "number of the HTTP/2 stream"),
    _text("http_grpc_method", "of gRPC: service and method"),
)
DNS_QUESTION = (
    _text("domain", "name that is asked for"),
    _text("type", 'type of the record ("A")'),
    _text("class", 'class of the record ("CH"); left out if it is IN'),
)


def _source(name: str, sourcetype: str, meaning: str, *fields: Field) -> Source:
    return Source(name.replace(".", "_"), "source", name, sourcetype, meaning, fields)


def _sourcetype(view: str, name: str, meaning: str, *fields: Field) -> Source:
    return Source(view, "sourcetype", name, name, meaning, fields)


SOURCES = (
    _source(
        "fs.open",
        "fs",
        "A file was opened: one event for each open file description. A descriptor received over a"
        " socket (op `recvmsg`) has one of its own.",
        FILE,
        FILE_PASSED,
        OP,
        FD,
        _text("flags", 'flags of open(2): "O_RDONLY|O_CLOEXEC"'),
        _true(
            "file_created",
            "true if this call created the file; left out if it was there, or if the file system"
            " does not say when a file was created",
        ),
        *ENHANCED,
    ),
    _source(
        "fs.close",
        "fs",
        "The last descriptor of a file in a process is gone: one event for each process that opened"
        " the file, or read or wrote it, with what that process did.",
        _text("file", "path of the file now, or its last one"),
        _text(
            "op",
            "the call that closed the last descriptor (close, dup2, execve), `exit`, `unseen` if"
            " the descriptor turned out to be another file, `stop` if recording ended first",
        ),
        _integer("file_read_bytes", "read by this process", "bytes"),
        _integer("file_read_ops", "calls that read", "calls"),
        _integer("file_write_bytes", "written by this process", "bytes"),
        _integer("file_write_ops", "calls that wrote", "calls"),
        _integer("duration", "how long the file was open", "µs"),
        _integer("io_duration", "time inside the calls that read and wrote", "µs"),
        _true("file_mapped", "true if the file was mapped into memory"),
        *ENHANCED,
    ),
    _source("fs.delete", "fs", "A name was removed.", OP, FILE, FILE_PASSED),
    _source(
        "fs.rename",
        "fs",
        "A file or folder was renamed.",
        OP,
        FILE,
        FILE_PASSED,
        _text("file_new", "its new path"),
        _text("file_new_passed", "the new path as the program passed it; left out if the same"),
        _true(
            "file_exchanged",
            "true if both paths stay and their files were swapped (RENAME_EXCHANGE)",
        ),
    ),
    _source(
        "fs.mkdir",
        "fs",
        "A folder, a device or a fifo was made.",
        OP,
        FILE,
        FILE_PASSED,
        _integer("file_perms", "permissions asked for, in octal digits (755)"),
    ),
    _source(
        "fs.link",
        "fs",
        "A hard or symbolic link was made; `file` is the new name.",
        OP,
        FILE,
        FILE_PASSED,
        _text("file_target", "what it links to"),
        _text("file_target_passed", "the target as the program passed it; left out if the same"),
    ),
    _source(
        "fs.attr",
        "fs",
        "Permissions, owner or size were set: the event has the fields that were.",
        OP,
        FILE,
        FILE_PASSED,
        _integer("file_perms", "permissions in octal digits (644)"),
        _integer("file_owner", "user id of the new owner"),
        _integer("file_group", "group id of the new group"),
        _integer("file_size", "new size", "bytes"),
    ),
    _source(
        "fs.error",
        "fs",
        "A call about a file failed.",
        OP,
        FILE,
        FILE_PASSED,
        _text("file_new", "rename and link: the name that was to be made"),
        _text("file_new_passed", "that name as the program passed it; left out if the same"),
        ERROR,
        _text(
            "class",
            "kind of call: open_close, read_write, delete, rename, link, mkdir, attr, stat, seek,"
            " cwd, exec, lock or watch",
        ),
        *EVIDENCE,
    ),
    _source(
        "proc.start",
        "process",
        "A program started (execve).",
        OP,
        _text("exe", "path of the program"),
        _list("args", "its arguments, its name first"),
        _integer("args_missing", "arguments beyond `argslimit`; left out if there are none"),
        _text("cwd", "current working directory"),
        _integer("ppid", "process id of the parent"),
        _integer("proc_uid", "effective user id"),
        _integer("proc_gid", "effective group id"),
        _list("env", "its environment, NAME=value each; needs `environment`"),
        _integer("env_missing", "variables beyond `envlimit`; left out if there are none"),
    ),
    _source(
        "proc.fork",
        "process",
        "A process made another.",
        _text("op", "fork, vfork or clone"),
        _integer("child_pid", "process id of the child"),
    ),
    _source(
        "proc.exit",
        "process",
        "A process ended. The usage is that of getrusage(2), with the children that it waited for.",
        _integer("exit_code", "exit status; left out if a signal ended it"),
        _text("signal", 'the signal that ended it ("SIGKILL")'),
        Field("core_dumped", BOOLEAN, "whether it left a core dump; only with `signal`"),
        _integer("process_group", "id of its process group; only with `signal`, if known"),
        _integer("duration", "time since its fork, or since the session began", "µs"),
        _integer("cpu_user", "CPU time in user mode", "µs"),
        _integer("cpu_system", "CPU time in the kernel", "µs"),
        _integer("max_rss", "largest resident set", "KiB"),
        _integer("minor_faults", "page faults without I/O"),
        _integer("major_faults", "page faults with I/O"),
        _integer("cpu_own", "CPU time without the children's", "µs"),
    ),
    _source(
        "proc.signal",
        "process",
        "A signal was delivered.",
        _text("signal", "its name"),
        _integer(
            "sender_pid", "process id of the sender, in the PID namespace of the recorder, if known"
        ),
        _integer("sender_uid", "user id of the sender, if known"),
        _text("code", '`si_code` of sigaction(2): "SI_USER", "CLD_EXITED"…'),
        _text("address", 'of a fault: where it was (`si_addr`), "0x10"'),
        _integer(
            "count",
            "how many signals it stands for, if more than one: in a storm, those of one kind after"
            " the first ten in 100 ms",
        ),
    ),
    _source(
        "proc.kill",
        "process",
        "A process sent SIGKILL, whose delivery cannot be seen; with `failures` none not recorded.",
        OP,
        _text("what", 'to whom, in words: "SIGKILL to 71", "SIGKILL to -70" (a group)'),
        _integer(
            "target_pid",
            "process id of the receiver, if known, in the PID namespace of the recorder",
        ),
        _integer(
            "target_group",
            "id of the process group that it was sent to, likewise; -1: to all that the sender may"
            " signal",
        ),
    ),
    _source(
        "proc.error",
        "process",
        "A call that is about neither a file nor a connection failed (fork, kill, setuid, mmap…).",
        OP,
        ERROR,
        _text(
            "what",
            'what the call was about, in words: "SIGTERM to 1", "user 0", "1073741824 bytes",'
            ' "/dev/sda1 on /mnt"; left out if the op says all',
        ),
        *REFUSED,
        *ASKER,
        *LIMIT,
        *HOLDER,
    ),
    _source(
        "net.open",
        "net",
        "A connection stands, or a datagram socket has met a new peer: one event for each flow.",
        OP,
        FD,
        _text("role", "client if this side connected, server if it accepted"),
        *ENDS,
    ),
    _source(
        "net.close",
        "net",
        "The last descriptor of a flow in a process is gone: one event for each process that opened"
        " the flow or sent or received through it, with what that process did.",
        OP,
        _integer("net_bytes_sent", "sent by this process", "bytes"),
        _integer("net_bytes_recv", "received by this process", "bytes"),
        _integer("duration", "time since the flow opened", "ms"),
        _text(
            "net_close_reason",
            "who ended it first: local, remote, reset; idle for a peer that was forgotten among too"
            " many of one datagram socket; stop if it was open when recording ended",
        ),
        _text("net_protocol", 'protocols that were recognised, in order: "PROXY,HTTP"'),
        _text("error", 'the last error in its life ("ECONNRESET")'),
        *ENDS,
    ),
    _source(
        "net.listen",
        "net",
        "A socket listens, or was bound to receive datagrams (not those of netlink).",
        OP,
        FD,
        *ENDS,
    ),
    _source(
        "net.app",
        "net",
        "A protocol was recognised: one event for each protocol of a flow.",
        _text("protocol", "HTTP, TLS, gRPC, Redis…"),
        FD,
        _text("tls_server_name", "of TLS: name of the server (SNI)"),
        _list("tls_alpn", "of TLS: protocols in the client's hello, or else the server's (ALPN)"),
        _text("tls_version", "of TLS: the version in that hello"),
        *ENDS,
    ),
    _source(
        "net.error",
        "net",
        "A connection could not be made, or broke.",
        OP,
        _text("class", "connection, or rx_tx for sending and receiving"),
        ERROR,
        *ENDS,
        *EVIDENCE_OF_SOCKETS,
    ),
    _source(
        "http.req",
        "http",
        "A request began. Header fields that `headers` of a rule selects are fields of their own.",
        HTTP_USER_AGENT,
        _text("http_client_ip", "first address of `X-Forwarded-For`"),
        _text("x-appscope", "value of the header `x-appscope`; in SQL `x_appscope`"),
        _integer("http_request_content_length", "length of the body", "bytes"),
        _text("http_frame", "of HTTP/2: the frame that began it"),
        *HTTP_REQUEST,
        *ENDS,
    ),
    _source(
        "http.resp",
        "http",
        "A response began; it repeats method, target, scheme, host and agent of its request.",
        HTTP_USER_AGENT,
        *HTTP_REQUEST,
        _integer("http_status_code", "status"),
        _text("http_status_text", "reason phrase"),
        _integer(
            "http_server_duration", "from request to response, if this side is the server", "ms"
        ),
        _integer(
            "http_client_duration", "from request to response, if this side is the client", "ms"
        ),
        _integer("http_duration_us", "from request to response", "µs"),
        _integer("http_response_content_length", "length of the body", "bytes"),
        _integer("grpc_status", "of gRPC: status code"),
        _text("grpc_message", "of gRPC: message of the status"),
        *ENDS,
    ),
    _source(
        "dns.req",
        "dns",
        "A question was asked.",
        *DNS_QUESTION,
        _text("op", "operation code; left out if it is QUERY"),
        *ENDS,
    ),
    _source(
        "dns.resp",
        "dns",
        "An answer came.",
        *DNS_QUESTION,
        _integer("duration", "since the question", "ms"),
        _integer("duration_us", "since the question", "µs"),
        _text("rcode", 'response code ("NOERROR")'),
        _true("truncated", "true if the server cut the answer"),
        _list("addrs", "the addresses (A, AAAA)"),
        _list("cname", "the aliases on the way"),
        _list("answers", "the records: name, type, class unless it is IN, ttl (s), data"),
        _integer(
            "answers_missing",
            "further records, left out since their text is much longer than the message",
        ),
        _list("extended_errors", 'of RFC 8914: code, name ("DNSSEC Bogus"), text'),
        *ENDS,
    ),
    _source(
        "dns.error",
        "dns",
        "A question stayed without an answer.",
        *DNS_QUESTION,
        _text("error", '"timeout", or how the flow failed ("ECONNREFUSED")'),
        _integer("duration", "since the question", "ms"),
        *ENDS,
    ),
    _sourcetype(
        "metric_event",
        "metric",
        "One value of a metric, not summed up; the source is the name of the metric. Which tags it"
        " has says the table of metrics.",
        _text("_metric", "name of the metric"),
        _text("_metric_type", "counter, gauge, timer, histogram or set"),
        _number("_value", "the value", "that of the metric"),
        _text("unit", "unit of the value"),
        _text("class", "of fs.error, net.error: kind of call; of net.rx, net.tx: kind of socket"),
        OP,
        FILE,
        FD,
        _text("proto", "TCP, UDP…"),
        _integer("port", "port of the service"),
        _text("localip", "address of this side"),
        _integer("localp", "port of this side"),
        _text("remoteip", "address of the peer"),
        _integer("remotep", "port of the peer"),
        _text("domain", "of dns: name asked for; of net: address family"),
        _text("http_target", "target of the request, without its query"),
        _integer("http_status_code", "status of the response"),
        _integer("numops", "how many operations the value sums up", "operations"),
    ),
    _sourcetype(
        "console",
        "console",
        "Text was written to standard output or standard error; the source is stdout or stderr.",
        *MESSAGE,
    ),
    _sourcetype(
        "file",
        "file",
        "Text was written to a file that a rule of type `file` selects; the source is its path.",
        *MESSAGE,
    ),
    _sourcetype(
        "notice",
        "notice",
        "Something about the recording itself: a limit that was met, or data that is missing.",
        _text("message", "a sentence"),
        _text("reason", "a word, for programs that read notices"),
        _integer("count", "how often, or how many"),
    ),
)

FIELDS = tuple(dict.fromkeys(field.name for source in SOURCES for field in source.fields))
"""The name of every data field, once."""

NUMBERS = frozenset(
    field.name
    for source in SOURCES
    for field in source.fields
    if field.type in (INTEGER, NUMBER, BOOLEAN)
)
"""Names of fields that hold a number, or true or false, which SQLite calls 1 and 0."""

UNITS = {
    (source.name, field.name): field.unit
    for source in SOURCES
    for field in source.fields
    if field.unit
}
"""Name of a source or sourcetype, and of one of its fields → the unit of that."""


def column(field: str) -> str:
    """Return what SQL calls a field: a name with a hyphen would be an expression there."""
    return field.replace("-", "_")


class Scale(NamedTuple):
    """How a field follows from another: multiplied, then divided."""

    factor: int
    divisor: int

    def of(self, value: int) -> float:
        """Return the value of the field."""
        return value * self.factor if self.divisor == 1 else value / self.divisor


def durations(source: Source) -> dict[str, Scale]:
    """Return how `duration_ms` and `duration_us` follow from `duration` of a source.

    Without those that are fields of its own; empty for a source without `duration`.
    """
    units = {field.name: field.unit for field in source.fields}
    scales = {
        "µs": {"duration_ms": Scale(1, 1000), "duration_us": Scale(1, 1)},
        "ms": {"duration_ms": Scale(1, 1), "duration_us": Scale(1000, 1)},
    }.get(units.get("duration", ""), {})
    return {name: scale for name, scale in scales.items() if name not in units}


class Record(NamedTuple):
    """The fields of what a command prints as JSON, one object to a line."""

    name: str
    """The command."""
    meaning: str
    """What one object is; a sentence in Markdown."""
    fields: tuple[Field, ...]


def _ends(*names: str) -> Iterator[Field]:
    by_name = {field.name: field for field in ENDS}
    return (by_name[name] for name in names)


FLOWS = (
    _integer("id", "number of the event that opened it, by which `flows ID` finds it"),
    _integer("pid", "process id of the process that opened it"),
    _text("proc", "base name of the program that opened it"),
    *_ends(
        "net_transport", "net_host_ip", "net_host_port", "net_peer_name", "net_peer_ip",
        "net_peer_port", "net_client_ip", "net_client_port", "net_target_host", "net_target_port",
        "unix_local_path", "unix_local_inode", "unix_peer_path", "unix_peer_inode",
    ),
    _text("role", "client if this side connected, server if it accepted"),
    _number("start_time", "when it was opened: Unix time, to the microsecond", "s"),
    _number("last_sent_time", "when bytes were sent last, or it was closed: Unix time", "s"),
    _integer("duration", "from its open to its last close", "ns"),
    _integer("net_bytes_recv", "received by all processes", "bytes"),
    _integer("net_bytes_sent", "sent by all processes", "bytes"),
    _text("net_protocol", 'protocols that were recognised, in order: "PROXY,HTTP"'),
    _text("net_close_reason", "who ended it first: local, remote, reset, idle or stop"),
    _text("error", 'the last error in its life ("ECONNRESET")'),
    _integer("payload_in_bytes", "received and kept (`run -p`)", "bytes"),
    _integer("payload_out_bytes", "sent and kept (`run -p`)", "bytes"),
    _integer("payload_missing_bytes", "went through and was not kept", "bytes"),
    _integer("channel", "shared by all its events and its payload: Unix time of its open", "ns"),
)  # fmt: skip
FILES = (
    _text("file", "its last path"),
    _list("names", "its earlier and other paths: renames and hard links"),
    _text("class", "own, or what a rule of `pathclasses` in scope.yml calls such paths"),
    _text(
        "uses",
        "a letter for each use: Read, Written, Opened only, Deleted, reNamed, ✖ a call failed",
    ),
    _integer("opens", "how often it was opened"),
    _integer("read_bytes", "read by all processes", "bytes"),
    _integer("read_ops", "calls that read", "calls"),
    _integer("written_bytes", "written by all processes", "bytes"),
    _integer("written_ops", "calls that wrote", "calls"),
    _integer("bytes", "read and written", "bytes"),
    _integer("ops", "calls that read or wrote", "calls"),
    _integer("io_us", "time inside these calls", "µs"),
    _list("errors", 'names of the errors of calls about it ("ENOENT")'),
    _list("pids", "process ids of the processes that used it"),
    _list("procs", "their programs"),
)
METRIC_BODY = (
    _text("_metric", "name of the metric, or one of a program's own (StatsD)"),
    _text("_metric_type", "counter, gauge, timer, histogram or set"),
    _number("_value", "the value of one period", "that of the metric"),
    _text("unit", "unit of the value; left out if it is not known"),
    _text("host", "name of the machine"),
    _text("proc", "base name of the program"),
    _integer("pid", "process id"),
    _integer("numops", "how many operations the value sums up", "operations"),
    _number("_time", "end of the period: Unix time, to the microsecond", "s"),
)
RECORDS = (
    Record("events", "What every event has, beside the fields of its source.", BODY),
    Record("flows", "A conversation with a peer, from its open to its last close.", FLOWS),
    Record("files", "A file, with what all processes did to it under all its names.", FILES),
    Record("metrics", "A value of a metric; each metric has tags of its own.", METRIC_BODY),
)
"""What `events`, `flows`, `files` and `metrics` print with `-j`."""
