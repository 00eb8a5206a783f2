"""Write the rows of a view to a new file: CSV or JSON, as its name says.

An existing file is never replaced. A file that cannot be completed is removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from scopetrace.dash.place import Place
from scopetrace.dash.rows import Part
from scopetrace.dash.view import View
from scopetrace.errors import ScopeError
from scopetrace.model.counts import number_of
from scopetrace.output.answers import csv_lines
from scopetrace.query import Session
from scopetrace.wire.ndjson import json_line

CSV, JSON = ".csv", ".json"
_OWNER_ONLY = 0o600
"""Mode of a new file: it may contain secrets, as sessions may."""
_REPORT_EVERY = 1000
"""Rows between two reports of how many were written."""


def default_name(place: Place, session_id: int) -> str:
    """Return the name of a file that is proposed."""
    return f"scopetrace-{session_id}-{place.view}{CSV}"


def write_view(view: View, session: Session, place: Place, path: Path) -> Iterator[Part]:
    """Write all rows of a view; yield how many have been written.

    Raises:
        ScopeError: the name ends neither in .csv nor in .json, or the file exists already or cannot
            be written.
    """
    lines = _form(view, path)(view.bodies(session, place))
    with _new_file(path) as file:
        count = 0
        for count, line in enumerate(lines, 1):
            file.write(line)
            if count % _REPORT_EVERY == 0:
                yield Part([], is_done=False, note=f"{number_of(count, 'line')} written to {path}")
    yield Part([], note=f"{number_of(count, 'line')} written to {path}")


def _form(view: View, path: Path) -> Callable[[Iterable[Mapping[str, Any]]], Iterator[str]]:
    """Return what makes lines of bodies."""
    if path.suffix == CSV:
        return lambda bodies: csv_lines(bodies, view.fields)
    if path.suffix == JSON:
        return lambda bodies: (json_line(body) + "\n" for body in bodies)
    raise ScopeError(f"the name of the file must end in {CSV} or {JSON}")


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    except FileExistsError:
        raise ScopeError(f"{path} exists already") from None
    except OSError as error:
        raise ScopeError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ScopeError(f"cannot write {path}: {error.strerror}") from None
        raise
