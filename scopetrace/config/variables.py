"""The SCOPE_* variables, each a row: which key it sets. Names are AppScope's where it has one.

scope.yml names each variable beside its key, and a test compares the two.
"""

from __future__ import annotations

from scopetrace.config.document import Path
from scopetrace.config.meaning import WITHOUT_MEANING

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
    "SCOPE_ARGS_LIMIT": ("scopetrace", "argslimit"),
    "SCOPE_RECORD_ENVIRONMENT": ("scopetrace", "environment"),
    "SCOPE_ENV_LIMIT": ("scopetrace", "envlimit"),
}
"""Variables that set one key."""

DESTINATIONS: dict[str, str] = {"SCOPE_EVENT_DEST": "event", "SCOPE_METRIC_DEST": "metric"}
"""Variables that set type, host, port and path of a section's `transport`, all in one word."""

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
"""What comes before the name of a tag."""

BEGINNINGS_WITHOUT_MEANING: dict[str, str] = {
    "SCOPE_EVENT_SYSLOG": "this version records no events of type syslog",
    "SCOPE_PAYLOAD_DIR": WITHOUT_MEANING["payload", "dir"],
    "SCOPE_PAYLOAD_TO_DISK": WITHOUT_MEANING["payload", "dir"],
    "SCOPE_PAYLOAD_HEADER": WITHOUT_MEANING["payload", "dir"],
    "SCOPE_CMD_DIR": WITHOUT_MEANING["libscope", "commanddir"],
    "SCOPE_SNAPSHOT_": WITHOUT_MEANING["libscope", "snapshot"],
    "SCOPE_LOG_": WITHOUT_MEANING["libscope", "log"],
    "SCOPE_CRIBL": WITHOUT_MEANING["cribl",],
}
"""How variables of AppScope begin that mean nothing here, and why."""

BEGINNINGS_OF_OURS = (
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
    "SCOPE_ARGS_",
    "SCOPE_ENV_",
    "SCOPE_RECORD_",
    "SCOPE_TAG",
)
"""A variable that begins so and is in no table is a mistake; any other may be another program's."""


def why_unused(name: str) -> str | None:
    """Return why a variable changes nothing; None: it does, or it is not for us."""
    if any(name in table for table in (KEYS, DESTINATIONS, SWITCHES, RULE_KEYS)) or is_tag(name):
        return None
    for beginning, why in BEGINNINGS_WITHOUT_MEANING.items():
        if name.startswith(beginning):
            return why
    return "there is no such setting" if name.startswith(BEGINNINGS_OF_OURS) else None


def is_tag(name: str) -> bool:
    """Return whether a variable gives a tag."""
    return name.startswith(TAG) and name != TAG
