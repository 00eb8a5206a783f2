"""Tests of what is loaded into a connection of Python's sqlite3, which some builds cannot do."""

from __future__ import annotations

import sqlite3

import pytest

loads_extensions = pytest.mark.skipif(
    not hasattr(sqlite3.Connection, "enable_load_extension"),
    reason="the sqlite3 of this Python loads no extensions: only the general way is used",
)
