"""Evidence: what was to be seen of the reason of a failure when the call failed."""

from __future__ import annotations

from typing import Any, NamedTuple


class Evidence(NamedTuple):
    """What is known of the reason; each field is None if it is not known or does not apply.

    An event has those that are known, by these names (`model.fields`).
    """

    missing_folder: str | None = None
    """The first folder on the way to the path that is not there."""
    link_target: str | None = None
    """Where the symbolic link leads that is what is not there."""
    interpreter: str | None = None
    """What a program file names as its interpreter (#! or PT_INTERP)."""
    machine: str | None = None
    """For which machine a program file is that could not be executed."""
    refused_by: str | None = None
    """The file or folder that refused."""
    refused_uid: int | None = None
    refused_user: str | None = None
    refused_gid: int | None = None
    refused_group: str | None = None
    refused_mode: int | None = None
    """Its permissions in octal digits."""
    needs: str | None = None
    """The right that was missing: read, write, search, execute, owner, or a capability."""
    obstacle: str | None = None
    """What refuses other than permissions."""
    asked_uid: int | None = None
    """Who asked."""
    asked_gid: int | None = None
    limit_name: str | None = None
    """The limit that was reached: RLIMIT_NOFILE…"""
    limit_value: int | None = None
    mount_point: str | None = None
    """Where the file system is mounted that is full or refuses."""
    holder_pid: int | None = None
    """Who has what was asked for: a port, a lock, a file."""
    holder_cmd: str | None = None
    detail: str | None = None
    """What is wrong with the arguments, in words."""

    def fields(self) -> dict[str, Any]:
        """Return what is known, as an event has it."""
        known: dict[str, Any] = {}
        most = len(self) - self.count(None)
        for name, value in zip(self._fields, self, strict=True):
            if len(known) == most:  # mostly one of the first
                break
            if value is not None:
                known[name] = value
        return known
