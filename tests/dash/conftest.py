from __future__ import annotations

from pathlib import Path

import pytest

from support.session_builder import SECOND, STARTED_NS, closed, event, image, record


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def path(home: Path) -> Path:
    """A session of two processes: python3 starts sh, which fails."""
    shell = image(
        2,
        pid=80,
        ppid=70,
        parent=1,
        proc="sh",
        cmd="sh -c exit 3",
        args=("sh", "-c", "exit 3"),
        started_ns=STARTED_NS + SECOND,
    )
    return record(
        home,
        [
            event("fs.open", 0.1, file="/home/ann/in.txt", flags="O_RDONLY"),
            closed("/home/ann/in.txt"),
            event("fs.error", 0.2, file="/home/ann/app.conf", op="openat", error="ENOENT"),
            event("stderr", 0.3, message="no configuration\n"),
            event("fs.open", 1.5, 2, file="/tmp/[red]out\x1b[31m", flags="O_WRONLY"),
            closed(
                "/tmp/[red]out\x1b[31m", at=1.6, process=2, file_write_ops=2, file_write_bytes=30
            ),
        ],
        [shell],
    )
