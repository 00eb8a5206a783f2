"""Programs that no injected library could see: static, musl, Go, 32-bit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.harness import Stage
from support.users import one_user

pytestmark = one_user("what a program is linked with does not depend on rights")

Needs = Callable[[str], str]

GO = """
package main

import ("fmt"; "os"; "os/exec"; "sync")

func main() {
    var all sync.WaitGroup
    for i := 0; i < 20; i++ {
        all.Add(1)
        go func(i int) {
            defer all.Done()
            os.WriteFile(fmt.Sprintf("go-%d.txt", i), []byte("from go"), 0644)
        }(i)
    }
    all.Wait()
    out, err := exec.Command("/bin/echo", "child").Output()
    fmt.Printf("%s%v\\n", out, err)
    _, err = os.Open("absent")
    fmt.Println(err)
    os.Exit(4)
}
"""


@pytest.fixture(scope="session")
def go_program(commons: Path, needs: Needs) -> Iterator[Path]:
    """A Go program without a C library."""
    go = needs("go")
    source, program = commons / "main.go", commons / "go-program"
    source.write_text(GO)
    environ = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    environ.setdefault("HOME", str(commons))
    subprocess.run([go, "build", "-o", program, source], env=environ, check=True)
    yield program


def test_a_go_program(stage: Stage, go_program: Path) -> None:
    recording = stage.compare([go_program])

    assert recording.ending.status == 4
    assert recording.ending.stdout.startswith(b"child\n<nil>\nopen absent:")
    for number in range(20):
        (closed,) = recording.of("fs.close", file=str(stage.work / f"go-{number}.txt"))
        assert closed.data["file_write_bytes"] == 7
    assert str(stage.work / "absent") in recording.files("fs.error")
    assert "/bin/echo" in [e.data["args"][0] for e in recording.of("proc.start")]


def test_a_static_busybox_shell(stage: Stage, needs: Needs) -> None:
    script = """
        mkdir -p a/b && cd a/b
        for n in 1 2 3; do echo "line $n" >> out.log; done
        cat out.log | sort -r | head -n 2
        cat missing
        mv out.log ../moved.log && rm ../moved.log
        exit 5
    """
    recording = stage.compare([needs("busybox"), "sh", "-c", script])

    assert recording.ending.status == 5
    assert recording.ending.stdout == b"line 3\nline 2\n"
    folder = f"{stage.work}/a/b"
    assert recording.messages(f"{folder}/out.log").splitlines() == ["line 1", "line 2", "line 3"]
    assert f"{folder}/missing" in recording.files("fs.error")
    assert [e.data["file"] for e in recording.of("fs.delete")] == [f"{stage.work}/a/moved.log"]
    (moved,) = recording.of("fs.rename")
    assert moved.data["file"] == f"{folder}/out.log"
    assert moved.data["file_new"] == f"{stage.work}/a/moved.log"
