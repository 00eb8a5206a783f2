"""A configuration as bytes, from the process that read it to the one that records."""

from __future__ import annotations

import msgspec

from scopetrace.config.schema import Config


def pack_config(config: Config) -> bytes:
    """Return what `unpack_config` takes; where the configuration came from stays behind."""
    return msgspec.msgpack.encode(msgspec.structs.replace(config, path=None, warnings=()))


def unpack_config(packed: bytes) -> Config:
    """Return the configuration that was packed."""
    return msgspec.msgpack.decode(packed, type=Config)
