"""Which data fields the events of each source have: one row for each source.

The views of the session file, the names that `--where` and `--sort` know, and their types derive
from here. What each field means, with its unit, is in ARCHITECTURE.md; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """The events of one source, or of one sourcetype whose sources cannot be listed."""

    view: str
    """Name of its view in the session file."""
    column: str
    """What tells its events: source, or sourcetype where sources are paths or streams."""
    name: str
    """The value of that column."""
    fields: tuple[str, ...]


_ENHANCED = ("proc_uid", "proc_gid", "file_perms", "file_owner", "file_group")
_MOVED = ("file_read_bytes", "file_read_ops", "file_write_bytes", "file_write_ops")
_USED = ("cpu_user", "cpu_system", "max_rss", "minor_faults", "major_faults", "cpu_own")
_NETWORK_ENDS = ("net_peer_name", "net_peer_ip", "net_peer_port", "net_host_ip", "net_host_port")
_INTERFACES = ("net_peer_interface", "net_host_interface")
_BEYOND = ("net_client_ip", "net_client_port", "net_target_host", "net_target_port")
_UNIX_ENDS = (
    "unix_peer_path", "unix_peer_bind_path", "unix_peer_inode",
    "unix_local_path", "unix_local_bind_path", "unix_local_inode",
)  # fmt: skip
_ENDS = ("net_transport", *_NETWORK_ENDS, *_INTERFACES, *_UNIX_ENDS, *_BEYOND)
_CLOSED = ("net_bytes_sent", "net_bytes_recv", "duration", "net_close_reason", "net_protocol")
_ASKED = (
    "http_method", "http_target", "http_flavor", "http_scheme", "http_host", "http_after_loss",
    "http_truncated",
)  # fmt: skip
_HTTP2 = ("http_stream", "http_grpc_method")
_ANSWERED = (
    "http_status_code", "http_status_text", "http_server_duration", "http_client_duration",
    "http_duration_us", "http_response_content_length", "grpc_status", "grpc_message",
)  # fmt: skip
_MEASURED = (
    "_metric", "_metric_type", "_value", "unit", "class", "op", "file", "fd", "proto", "port",
    "localip", "localp", "remoteip", "remotep", "domain", "http_target", "http_status_code",
    "numops",
)  # fmt: skip


def _source(name: str, fields: str, *more: str) -> Source:
    return Source(name.replace(".", "_"), "source", name, (*fields.split(), *more))


def _sourcetype(name: str, fields: str) -> Source:
    return Source(name, "sourcetype", name, tuple(fields.split()))


SOURCES = (
    _source("fs.open", "file file_passed op fd flags", *_ENHANCED),
    _source("fs.close", "file op", *_MOVED, "duration", "io_duration", "file_mapped", *_ENHANCED),
    _source("fs.delete", "op file file_passed"),
    _source("fs.rename", "op file file_passed file_new file_new_passed"),
    _source("fs.mkdir", "op file file_passed file_perms"),
    _source("fs.link", "op file file_passed file_target file_target_passed"),
    _source("fs.attr", "op file file_passed file_perms file_owner file_group file_size"),
    _source("fs.error", "op file file_passed file_new file_new_passed error class"),
    _source("proc.start", "op exe args args_missing cwd ppid proc_uid proc_gid env env_missing"),
    _source("proc.fork", "op child_pid"),
    _source("proc.exit", "exit_code signal core_dumped duration", *_USED),
    _source("proc.signal", "signal sender_pid sender_uid code count"),
    _source("proc.error", "op error what"),
    _source("net.open", "op fd role", *_ENDS),
    _source("net.close", "op", *_CLOSED, "error", *_ENDS),
    _source("net.listen", "op fd", *_ENDS),
    _source("net.app", "protocol fd tls_server_name tls_alpn tls_version", *_ENDS),
    _source("net.error", "op class error", *_ENDS),
    _source(
        "http.req",
        "http_user_agent http_client_ip x-appscope http_request_content_length http_frame",
        *_ASKED,
        *_HTTP2,
        *_ENDS,
    ),
    _source("http.resp", "http_user_agent", *_ASKED, *_HTTP2, *_ANSWERED, *_ENDS),
    _source("dns.req", "domain type class op", *_ENDS),
    _source(
        "dns.resp",
        "domain type class duration duration_us rcode truncated addrs cname answers",
        "extended_errors",
        *_ENDS,
    ),
    _source("dns.error", "domain type class error duration", *_ENDS),
    Source("metric_event", "sourcetype", "metric", _MEASURED),
    _sourcetype("console", "message piece pieces missing"),
    _sourcetype("file", "message piece pieces missing"),
    _sourcetype("notice", "message reason count"),
)

NUMBERS = {
    *("fd", "file_size", "file_mapped", "duration", "io_duration", "ppid", "child_pid"),
    *("args_missing", "env_missing"),
    *("exit_code", "core_dumped", "count", "sender_pid", "sender_uid"),
    *("piece", "pieces", "missing"),
    *("net_peer_port", "net_host_port", "unix_peer_inode", "unix_local_inode"),
    *("net_client_port", "net_target_port", *_INTERFACES),
    *("net_bytes_sent", "net_bytes_recv", "http_stream", "http_status_code"),
    *("http_request_content_length", "http_response_content_length"),
    *("http_server_duration", "http_client_duration", "http_duration_us", "grpc_status"),
    *(
        "duration_us",
        "truncated",
        "http_after_loss",
        "http_truncated",
        "_value",
        "port",
        "localp",
        "remotep",
        "numops",
    ),
    *(*_ENHANCED, *_MOVED, *_USED),
}
"""Fields that hold a number, or true or false, which SQLite calls 1 and 0."""

FIELDS = tuple(dict.fromkeys(field for source in SOURCES for field in source.fields))
"""Every data field, once."""


def column(field: str) -> str:
    """Return what SQL calls a field: a name with a hyphen would be an expression there."""
    return field.replace("-", "_")
