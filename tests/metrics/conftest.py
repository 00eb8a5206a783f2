"""Process images whose rules want metrics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scopetrace.config.load import check_config
from scopetrace.model.image import Image
from scopetrace.watch import Rules


@pytest.fixture
def image(tmp_path: Path) -> Callable[..., Image]:
    """Make an image of process `pid` with a metric verbosity and user tags."""

    def make(verbosity: int = 4, tags: str = "{}", pid: int = 70, serial: int = 1) -> Image:
        path = tmp_path / "scope.yml"
        path.write_text(
            f"metric: {{enable: true, format: {{verbosity: {verbosity}}}}}\ntags: {tags}\n"
        )
        made = Image(serial, pid, 1, 0)
        made.rules = Rules(check_config(path))
        return made

    return make
