"""What several modules here need: pytest makes it once for all that find it in a conftest.py.

A module that imports a fixture defines it anew: one of the whole session is then made twice.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.postgres import without_privileges


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where the programs of a server are; Debian has them not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("postgres is not installed")
    return found[-1].parent


@pytest.fixture(scope="session")
def template(commons: Path, programs: Path) -> Path:
    """An empty database that is copied for each server."""
    folder = commons / "postgres"
    folder.mkdir()
    folder.chmod(0o777)
    command = [
        programs / "initdb",
        *f"-D {folder}/data -A trust -U tester --no-sync --locale=C --encoding=UTF8".split(),
    ]
    subprocess.run(without_privileges(command), check=True, capture_output=True, cwd="/")
    return folder / "data"
