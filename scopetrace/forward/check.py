"""Check destinations before the program starts, while the user still sees an error.

Only files are checked: a server that does not answer now may do so later.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec.structs import replace

from scopetrace.config.schema import Config, Transport
from scopetrace.errors import ConfigError


def resolve_destinations(config: Config) -> Config:
    """Return the configuration with absolute paths of files and sockets; check the files.

    Raises:
        ConfigError: a file cannot be written, or a file of certificates cannot be used.
    """
    event = _resolved("event.transport", config.event.transport)
    metric = _resolved("metric.transport", config.metric.transport)
    return replace(
        config,
        event=replace(config.event, transport=event),
        metric=replace(config.metric, transport=metric),
    )


def _resolved(key: str, transport: Transport) -> Transport:
    if transport.type in ("file", "unix") and not transport.path.startswith("@"):
        transport = replace(transport, path=_absolute(key, transport.path))
    if transport.type == "file" and (why := _why_not_writable(Path(transport.path))):
        raise ConfigError(f"{key}: {transport.path}: {why}")
    if transport.encrypted and transport.tls.cacertpath:
        trusted = _absolute(key, transport.tls.cacertpath)
        transport = replace(transport, tls=replace(transport.tls, cacertpath=trusted))
        _check_certificates(f"{key}.tls.cacertpath", transport)
    return transport


def _absolute(key: str, path: str) -> str:
    try:
        return str(Path(path).absolute())
    except FileNotFoundError:
        raise ConfigError(f"{key}: {path}: the current folder is gone") from None


def _why_not_writable(path: Path) -> str | None:
    """Return why a file cannot be appended to. It is not opened: a pipe's reader would notice."""
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            return "it is a folder"
        return None if os.access(path, os.W_OK) else "it may not be written"
    except FileNotFoundError:
        pass
    except OSError as error:
        return error.strerror
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return None if os.access(path.parent, os.W_OK | os.X_OK) else "it may not be made there"


def _check_certificates(key: str, transport: Transport) -> None:
    from scopetrace.forward.tls import tls_context

    try:
        tls_context(transport)
    except OSError as error:
        why = "it holds no certificates" if hasattr(error, "library") else error.strerror
        raise ConfigError(f"{key}: {transport.tls.cacertpath}: {why}") from None
