"""The table of SCOPE_* variables: which key each one sets. Names are AppScope's where it has one.

scope.yml names each variable beside its key, and a test compares the two.
"""

from __future__ import annotations

from functools import cache

from scopetrace.config.document import Path
from scopetrace.config.ignored_keys import IGNORED

KEYS: dict[str, Path] = {
    "SCOPE_METRIC_ENABLE": ("metric", "enable"),
    "SCOPE_METRIC_FORMAT": ("metric", "format", "type"),
    "SCOPE_STATSD_PREFIX": ("metric", "format", "statsdprefix"),
    "SCOPE_STATSD_MAXLEN": ("metric", "format", "statsdmaxlen"),
    "SCOPE_METRIC_VERBOSITY": ("metric", "format", "verbosity"),
    "SCOPE_METRIC_TLS_ENABLE": ("metric", "transport", "tls", "enable"),
    "SCOPE_METRIC_TLS_VALIDATE_SERVER": ("metric", "transport", "tls", "validateserver"),
    "SCOPE_METRIC_TLS_CA_CERT_PATH": ("metric", "transport", "tls", "cacertpath"),
    "SCOPE_EVENT_ENABLE": ("event", "enable"),
    "SCOPE_EVENT_FORMAT": ("event", "format", "type"),
    "SCOPE_EVENT_MAXEPS": ("event", "format", "maxeventpersec"),
    "SCOPE_ENHANCE_FS": ("event", "format", "enhancefs"),
    "SCOPE_EVENT_TLS_ENABLE": ("event", "transport", "tls", "enable"),
    "SCOPE_EVENT_TLS_VALIDATE_SERVER": ("event", "transport", "tls", "validateserver"),
    "SCOPE_EVENT_TLS_CA_CERT_PATH": ("event", "transport", "tls", "cacertpath"),
    "SCOPE_PAYLOAD_ENABLE": ("payload", "enable"),
    "SCOPE_SUMMARY_PERIOD": ("libscope", "summaryperiod"),
    "SCOPE_CONFIG_EVENT": ("libscope", "configevent"),
    "SCOPE_SNAPLEN": ("scopetrace", "snaplen"),
    "SCOPE_FLOW_SNAPLEN": ("scopetrace", "flowsnaplen"),
    "SCOPE_FLOW_MEMORY": ("scopetrace", "flowmemory"),
    "SCOPE_PAYLOAD_LIMIT": ("scopetrace", "payloadlimit"),
    "SCOPE_RING_SIZE": ("scopetrace", "ringsize"),
    "SCOPE_FAILURES": ("scopetrace", "failures"),
    "SCOPE_GATE": ("scopetrace", "gate"),
    "SCOPE_ARGS_LIMIT": ("scopetrace", "argslimit"),
    "SCOPE_RECORD_ENVIRONMENT": ("scopetrace", "environment"),
    "SCOPE_ENV_LIMIT": ("scopetrace", "envlimit"),
    "SCOPE_SYSCALLS": ("scopetrace", "syscalls"),
    "SCOPE_SYSCALL_SNAPLEN": ("scopetrace", "syscallsnaplen"),
    "SCOPE_SYSCALL_PRINT": ("scopetrace", "syscallsprint"),
    "SCOPE_RUN_SUMMARY": ("scopetrace", "summary"),
    "SCOPE_RUN_HINT": ("scopetrace", "hint"),
    "SCOPE_RUN_REPORT": ("scopetrace", "report"),
}
"""Variables that set one key."""

DESTINATIONS: dict[str, str] = {"SCOPE_EVENT_DEST": "event", "SCOPE_METRIC_DEST": "metric"}
"""Variables that set type, host, port and path of a section's `transport` in one word."""

SWITCHES: dict[str, tuple[str, str]] = {
    "SCOPE_EVENT_LOGFILE": ("event", "file"),
    "SCOPE_EVENT_CONSOLE": ("event", "console"),
    "SCOPE_EVENT_FS": ("event", "fs"),
    "SCOPE_EVENT_PROCESS": ("event", "process"),
    "SCOPE_EVENT_NET": ("event", "net"),
    "SCOPE_EVENT_HTTP": ("event", "http"),
    "SCOPE_EVENT_DNS": ("event", "dns"),
    "SCOPE_EVENT_METRIC": ("event", "metric"),
    "SCOPE_METRIC_STATSD": ("metric", "statsd"),
    "SCOPE_METRIC_FS": ("metric", "fs"),
    "SCOPE_METRIC_NET": ("metric", "net"),
    "SCOPE_METRIC_HTTP": ("metric", "http"),
    "SCOPE_METRIC_DNS": ("metric", "dns"),
    "SCOPE_METRIC_PROC": ("metric", "process"),
}
"""Variables that switch one type of a section's `watch` on or off."""

_FIELDLESS = ("file", "console")

RULE_KEYS: dict[str, tuple[str, str]] = {
    **{
        f"{switch}_{key.upper()}": (kind, key)
        for switch, (section, kind) in SWITCHES.items()
        for key in ("name", "field", "value")
        if section == "event" and not (key == "field" and kind in _FIELDLESS)
    },
    "SCOPE_EVENT_HTTP_HEADER": ("http", "headers"),
    "SCOPE_ALLOW_BINARY_CONSOLE": ("console", "allowbinary"),
    "SCOPE_ALLOW_BINARY_FILE": ("file", "allowbinary"),
}
"""Variables that set a key of each rule of one type of `event.watch`."""

TAG = "SCOPE_TAG_"
"""Prefix of the variables that set tags; the name of the tag follows."""

IGNORED_PREFIXES: dict[str, str] = {
    "SCOPE_EVENT_SYSLOG": "this version records no events of type syslog",
    "SCOPE_PAYLOAD_DIR": IGNORED["payload", "dir"],
    "SCOPE_PAYLOAD_TO_DISK": IGNORED["payload", "dir"],
    "SCOPE_PAYLOAD_HEADER": IGNORED["payload", "dir"],
    "SCOPE_CMD_DIR": IGNORED["libscope", "commanddir"],
    "SCOPE_SNAPSHOT_": IGNORED["libscope", "snapshot"],
    "SCOPE_LOG_": IGNORED["libscope", "log"],
    "SCOPE_CRIBL": IGNORED["cribl",],
    "SCOPE_HOME": "to name a configuration file, use SCOPE_CONF_PATH",
    "SCOPE_RULES": "there is no rules file: `scopetrace run` records the command that it starts",
    "SCOPE_EXECVE": "every program that is executed is followed",
    "SCOPE_QUEUE_LENGTH": "there is no queue of events that could overflow",
    "SCOPE_CONNECT_TIMEOUT_SECS": "at the end of a session, lines that wait are sent for 3 s",
    "SCOPE_HTTP_SERIALIZE_ENABLE": "HTTP is always read in the order of its connection",
}
"""Prefixes of AppScope's variables that have no effect here → why.

Variables that AppScope sets for its own library (SCOPE_PID…) are ignored without a warning.
"""

OUR_PREFIXES = (
    "SCOPE_GATE",
    "SCOPE_RING_SIZE",
    "SCOPE_METRIC_",
    "SCOPE_STATSD_",
    "SCOPE_EVENT_",
    "SCOPE_ENHANCE_",
    "SCOPE_ALLOW_BINARY",
    "SCOPE_PAYLOAD_",
    "SCOPE_SUMMARY_",
    "SCOPE_CONFIG_",
    "SCOPE_SNAPLEN",
    "SCOPE_FLOW_",
    "SCOPE_FAILURES",
    "SCOPE_ARGS_",
    "SCOPE_ENV_",
    "SCOPE_RECORD_",
    "SCOPE_RUN_",
    "SCOPE_SYSCALL",
    "SCOPE_TAG",
)
"""A variable with one of these prefixes that is in no table is mistyped."""

ELSEWHERE = "SCOPE_CONF_PATH"
"""Read by `find`."""

_SIMILARITY = 0.79
"""Ratio of difflib from which on a name counts as one of ours, mistyped."""


def why_unused(name: str) -> str | None:
    """Return why a variable has no effect; None: it has one, or is another program's."""
    if name in _known() or is_tag(name):
        return None
    for beginning, why in IGNORED_PREFIXES.items():
        if name.startswith(beginning):
            return why
    ours = name.startswith(OUR_PREFIXES) or _is_like_ours(name)
    return "there is no such setting" if ours else None


@cache
def _known() -> frozenset[str]:
    return frozenset({ELSEWHERE, *KEYS, *DESTINATIONS, *SWITCHES, *RULE_KEYS})


def _is_like_ours(name: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(name, _known(), n=1, cutoff=_SIMILARITY))


def is_tag(name: str) -> bool:
    """Return whether a variable gives a tag."""
    return name.startswith(TAG) and name != TAG
