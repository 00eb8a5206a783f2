"""Why real programs fail: the right answer to each is known without scopetrace."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.harness import Stage, scopetrace_command, wait_for
from support.interpreter import NOBODY, python
from support.net_peers import free_port, is_listening
from support.users import one_user

NO_RIGHTS = "why it failed has nothing to do with rights"

OTHER = 65_531
"""A user who owns nothing."""


def ask(stage: Stage, *argv: str | Path, status: int = 1) -> list[dict[str, Any]]:
    """Record a program and return what `why` says."""
    stage.new_home()
    assert stage.run(scopetrace_command("run", "--", *argv)).status == status
    ending = stage.run(scopetrace_command("why", "-j"))
    assert (ending.status, ending.stderr) == (0, b"")
    return [json.loads(line) for line in ending.stdout.splitlines()]


def reason(stage: Stage, *argv: str | Path, status: int = 1) -> str:
    """Return the reason for the first process, without pids."""
    return re.sub(r"\[\d+\]", "", ask(stage, *argv, status=status)[0]["reason"])


def run_python(stage: Stage, script: str, status: int = 1) -> str:
    return reason(stage, python(), "-c", script, status=status)


def is_root(stage: Stage) -> bool:
    return stage.uid is None and os.geteuid() == 0


def as_nobody(stage: Stage, *argv: str | Path) -> list[str | Path]:
    """Return a command that does not run as root, also if the recorder does."""
    if not is_root(stage):
        return [*argv]
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    return ["setpriv", *ids, *argv]


def asker(stage: Stage) -> int:
    """Return the user of `as_nobody`."""
    return NOBODY if is_root(stage) else stage.uid if stage.uid is not None else os.getuid()


def refused_file(stage: Stage, name: str, mode: int) -> tuple[Path, str]:
    """Make a file that `as_nobody` may not use; return it and how its permissions are shown."""
    path = stage.work / name
    path.write_text("x\n")
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 0, 0)
        return path, f"root:root {mode:04o}"
    path.chmod(0)
    return path, f"{path.owner()}:{path.group()} 0000"


@one_user(NO_RIGHTS)
def test_a_folder_that_is_missing_is_named(stage: Stage) -> None:
    said = run_python(stage, "open('a/b/c')")

    assert said.endswith(f"← open {stage.work}/a/b/c: ENOENT, there is no folder {stage.work}/a")


@one_user(NO_RIGHTS)
def test_a_link_that_leads_to_nothing_is_followed(stage: Stage) -> None:
    (stage.work / "link").symlink_to("/nowhere/file")
    said = reason(stage, "cat", "link")

    assert said == (
        f"cat exit 1 ← open {stage.work}/link: ENOENT,"
        f" {stage.work}/link is a link to /nowhere/file, which is not there"
    )


def test_who_may_not_read_a_file_and_whose_it_is(stage: Stage) -> None:
    path, permissions = refused_file(stage, "secret", 0o640)
    said = reason(stage, *as_nobody(stage, "cat", path))

    assert (
        said == f"cat exit 1 ← open {path}: EACCES, uid {asker(stage)} may not read ({permissions})"
    )


def test_a_folder_on_the_way_that_refuses_is_named(stage: Stage) -> None:
    folder = stage.work / "private"
    folder.mkdir()
    (folder / "inner").mkdir()
    folder.chmod(0)
    if os.geteuid() == 0:
        os.chown(folder, 0, 0)
    said = reason(stage, *as_nobody(stage, "cat", "private/inner/x"))
    folder.chmod(0o755)

    whose = f"{folder.owner()}:{folder.group()} 0000"
    assert said == (
        f"cat exit 1 ← open {folder}/inner/x: EACCES,"
        f" uid {asker(stage)} may not search {folder} ({whose})"
    )


def test_a_folder_that_may_not_be_written_refuses_a_new_file(stage: Stage) -> None:
    stage.work.chmod(0o555)
    if os.geteuid() == 0:
        os.chown(stage.work, 0, 0)
    said = reason(stage, *as_nobody(stage, "mkdir", "new"))

    assert f"mkdir {stage.work}/new: EACCES, uid {asker(stage)} may not write {stage.work}" in said


def test_nginx_that_may_not_write_its_error_log(stage: Stage, needs: Callable[[str], str]) -> None:
    log, permissions = refused_file(stage, "error.log", 0o640)
    configuration = stage.work / "nginx.conf"
    configuration.write_text(f"error_log {log};\nevents {{}}\nhttp {{}}\n")
    command = [needs("nginx"), "-p", stage.work, "-c", configuration, "-e", "stderr"]
    said = reason(stage, *as_nobody(stage, *command))

    assert said == (
        f"nginx exit 1 ← open {log}: EACCES, uid {asker(stage)} may not write ({permissions})"
    )


@contextmanager
def listening() -> Iterator[tuple[int, int]]:
    """Run a process that listens; yield its port and its pid."""
    port = free_port()
    script = (
        "import socket, sys, time; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1])));"
        "s.listen(); time.sleep(100)"
    )
    with subprocess.Popen([python(), "-c", script, str(port)]) as process:
        try:
            wait_for(lambda: is_listening(port), "the listener")
            yield port, process.pid
        finally:
            process.kill()


def test_nginx_whose_port_is_in_use(stage: Stage, needs: Callable[[str], str]) -> None:
    configuration = stage.work / "nginx.conf"
    with listening() as (port, holder):
        configuration.write_text(
            f"error_log stderr;\npid {stage.work}/pid;\nevents {{}}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; }} }}\n"
        )
        command = [needs("nginx"), "-p", str(stage.work), "-c", str(configuration), "-e", "stderr"]
        (answer,) = ask(stage, *command)

    data = answer["failures"][0]["data"]
    assert (data["op"], data["error"], data["net_host_port"]) == ("bind", "EADDRINUSE", port)
    if is_root(stage):  # the holder is another user's process
        assert data["holder_pid"] == holder
        assert "s.listen()" in data["holder_cmd"]


@one_user(NO_RIGHTS)
def test_who_has_a_port_of_the_same_session(stage: Stage) -> None:
    script = (
        "import socket, os; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "t = socket.socket(); t.bind(s.getsockname())"
    )
    (answer,) = ask(stage, python(), "-c", script)

    data = answer["failures"][0]["data"]
    assert (data["op"], data["error"]) == ("bind", "EADDRINUSE")
    assert data["holder_pid"] == answer["pid"]


@one_user(NO_RIGHTS)
def test_a_connection_that_ended_a_moment_ago_has_the_port(stage: Stage) -> None:
    script = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "name = s.getsockname(); c = socket.create_connection(name); t, _ = s.accept();"
        "t.close(); c.recv(1); c.close(); s.close();"
        "import time; time.sleep(0.1); t = socket.socket(); t.bind(name)"
    )
    said = run_python(stage, script)

    assert said.endswith("EADDRINUSE, a connection that ended a moment ago has it (TIME_WAIT)")


@one_user(NO_RIGHTS)
def test_nobody_listens_where_a_program_connects(stage: Stage) -> None:
    port = free_port()
    said = run_python(stage, f"import socket; socket.create_connection(('127.0.0.1', {port}))")

    assert said.endswith(f"← connect 127.0.0.1 port {port}: ECONNREFUSED, no process listens there")


@one_user(NO_RIGHTS)
def test_the_third_command_of_a_script_fails(stage: Stage) -> None:
    script = stage.work / "script"
    script.write_text("#!/bin/sh\nset -e\necho 1\nmkdir there\ncp none there/\necho 4\n")
    script.chmod(0o755)
    (answer,) = ask(stage, script)

    assert [each["cmd"].split()[0] for each in answer["chain"]][1:] == ["cp"]
    assert answer["failures"][0]["data"]["file"] == f"{stage.work}/none"
    assert answer["stderr"] == ["cp: cannot stat 'none': No such file or directory"]


@one_user(NO_RIGHTS)
def test_make_whose_compiler_is_missing(stage: Stage, needs: Callable[[str], str]) -> None:
    (stage.work / "Makefile").write_text("all:\n\tnosuchcc -c x.c\n")
    folders = len({*os.environ["PATH"].split(":")})
    said = reason(stage, needs("make"), status=2)

    assert re.fullmatch(
        r"make exit 2 ← (make exit 127 ← )?(stat|exec) nosuchcc: ENOENT, in none of (\d+) folders",
        said,
    )
    assert abs(int(said.split()[-2]) - folders) <= 2


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_command_that_is_not_found(shell: str, stage: Stage) -> None:
    said = reason(stage, shell, "-c", "nosuchcommand; exit $?", status=127)

    assert "nosuchcommand: ENOENT, in none of " in said


def test_a_file_that_is_not_executable(stage: Stage) -> None:
    (stage.work / "plain").write_text("x")
    said = reason(stage, "sh", "-c", "./plain; exit $?", status=126)

    uid = os.geteuid() if stage.uid is None else stage.uid
    assert f"exec {stage.work}/plain: EACCES, uid {uid} may not execute" in said


@one_user(NO_RIGHTS)
def test_an_interpreter_of_a_script_that_is_missing(stage: Stage) -> None:
    script = stage.work / "script"
    script.write_text("#!/no/such/interpreter -x\n")
    script.chmod(0o755)
    said = reason(stage, "sh", "-c", "./script; exit $?", status=127)

    assert said.endswith(
        f"exec {script}: ENOENT, its interpreter /no/such/interpreter is not there"
    )


@one_user(NO_RIGHTS)
def test_an_interpreter_of_an_elf_file_that_is_missing(stage: Stage) -> None:
    program = stage.work / "program"
    content = Path("/bin/true").read_bytes()
    loader = b"/lib64/ld-linux"
    assert loader in content
    program.write_bytes(content.replace(loader, b"/none64/ld-linx"))
    program.chmod(0o755)
    said = reason(stage, "sh", "-c", "./program; exit $?", status=127)

    assert f"exec {program}: ENOENT, its interpreter /none64/ld-linx-" in said


@one_user(NO_RIGHTS)
def test_a_program_for_another_machine(stage: Stage) -> None:
    program = stage.work / "program"
    content = bytearray(Path("/bin/true").read_bytes())
    content[18:20] = b"\xb7\0"
    program.write_bytes(content)
    program.chmod(0o755)
    said = run_python(stage, "import subprocess; subprocess.run(['./program'])")

    assert said.endswith(f"exec {program}: ENOEXEC, it is a program for AArch64, or damaged")


@one_user(NO_RIGHTS)
def test_a_program_that_is_running_may_not_be_written(stage: Stage) -> None:
    program = stage.work / "program"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o777)
    with subprocess.Popen([program, "100"], **stage.become()) as running:
        try:
            wait_for(lambda: Path(f"/proc/{running.pid}/exe").readlink() == program, "the program")
            script = f"""import os, signal
try: open('{program}', 'ab')
finally: os.kill({running.pid}, signal.SIGKILL)"""
            (answer,) = ask(stage, python(), "-c", script)
        finally:
            running.kill()

    data = answer["failures"][0]["data"]
    assert (data["error"], data["holder_pid"]) == ("ETXTBSY", running.pid)
    assert data["holder_cmd"] == f"{program} 100"


@one_user(NO_RIGHTS)
def test_links_that_lead_to_each_other_and_a_name_that_is_too_long(stage: Stage) -> None:
    (stage.work / "a").symlink_to("b")
    (stage.work / "b").symlink_to("a")
    said, long = reason(stage, "cat", "a"), reason(stage, "cat", "x" * 300)

    assert said.endswith(f"/a: ELOOP, {stage.work}/a is a link to b, which leads back to it")
    assert long.endswith(": ENAMETOOLONG, a name in the path is longer than 255 bytes")


@one_user(NO_RIGHTS)
def test_the_limit_of_open_files(stage: Stage) -> None:
    script = "f = [open('/dev/null') for _ in range(100)]"
    said = reason(stage, "sh", "-c", f'ulimit -n 30; exec {python()} -c "{script}"')

    assert said.endswith("← open /dev/null: EMFILE, RLIMIT_NOFILE is 30")


@one_user(NO_RIGHTS)
def test_the_limit_of_a_files_size(stage: Stage) -> None:
    script = (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "f = open('big', 'wb', 0); [f.write(bytes(1000)) for _ in range(99)]"
    )
    said = reason(stage, "sh", "-c", f'ulimit -f 4; exec {python()} -c "{script}"')

    assert said.endswith(f"← write {stage.work}/big: EFBIG, RLIMIT_FSIZE is 2048")


@one_user(NO_RIGHTS)
def test_the_limit_of_memory(stage: Stage) -> None:
    said = reason(stage, "sh", "-c", f"ulimit -v 200000; exec {python()} -c 'bytearray(10**9)'")

    assert re.search(r"← mmap \d+ bytes: ENOMEM, RLIMIT_AS is 204800000$", said)


@one_user(NO_RIGHTS)
def test_who_holds_a_lock(stage: Stage, needs: Callable[[str], str]) -> None:
    flock = needs("flock")
    lock = stage.work / "lock"
    with subprocess.Popen([flock, str(lock), "sleep", "100"], start_new_session=True) as holder:
        try:
            wait_for(lambda: f" {holder.pid} " in Path("/proc/locks").read_text(), "the lock")
            lock.chmod(0o666)
            (answer,) = ask(stage, flock, "-n", lock, "true")
        finally:
            os.killpg(holder.pid, signal.SIGKILL)

    data = answer["failures"][0]["data"]
    assert (data["file"], data["error"], data["holder_pid"]) == (str(lock), "EAGAIN", holder.pid)


KILLS = {
    "kill": "os.kill(child, 9)",
    "pidfd": "signal.pidfd_send_signal(os.pidfd_open(child), 9)",
    "group": "os.setpgid(child, child); os.kill(-child, 9)",
}


@one_user(NO_RIGHTS)
@pytest.mark.parametrize("call", KILLS)
def test_who_killed_a_process(stage: Stage, call: str) -> None:
    script = (
        "import os, signal, time\n"
        "child = os.fork()\n"
        "if not child: time.sleep(1000)\n"
        f"{KILLS[call]}\n"
        "os.waitpid(child, 0)"
    )
    answers = ask(stage, python(), "-c", script, status=0)
    (child,) = (one for one in answers if one["status"] == "SIGKILL")

    assert re.search(r"SIGKILL ← sent by python3?[\d.]*\[\d+\]$", child["reason"])
    tree = stage.run(scopetrace_command("tree"))
    assert re.search(rb"SIGKILL by \[\d+\]", tree.stdout)


@one_user(NO_RIGHTS)
def test_a_process_that_killed_itself(stage: Stage) -> None:
    (answer,) = ask(stage, "sh", "-c", "kill -9 $$", status=-signal.SIGKILL)

    assert answer["reason"].endswith("SIGKILL ← it sent the signal to itself")


@one_user(NO_RIGHTS)
def test_where_a_segmentation_fault_was(stage: Stage) -> None:
    script = "import ctypes; ctypes.string_at(16)"
    (answer,) = ask(stage, python(), "-c", script, status=-signal.SIGSEGV)

    assert answer["status"] == "SIGSEGV"
    assert (answer["signal"]["code"], answer["signal"]["address"]) == ("SEGV_MAPERR", "0x10")


def test_a_user_without_the_capability(stage: Stage) -> None:
    said = reason(stage, *as_nobody(stage, python(), "-c", "import os; os.setuid(0)"))

    assert said.endswith(f"← setuid user 0: EPERM, uid {asker(stage)} lacks CAP_SETUID")


def test_a_sticky_folder(stage: Stage) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    folder = stage.work / "sticky"
    folder.mkdir()
    (folder / "file").write_text("x")
    folder.chmod(0o1777)
    os.chown(folder, OTHER, OTHER)
    said = reason(stage, *as_nobody(stage, python(), "-c", "import os; os.unlink('sticky/file')"))

    assert said.endswith(
        f"EPERM, uid {asker(stage)} owns neither the file nor {folder},"
        f" which is sticky ({OTHER}:{OTHER} 1777)"
    )


@one_user(NO_RIGHTS)
def test_a_name_that_is_nobodys(stage: Stage) -> None:
    script = "import socket; socket.gethostbyname('no.such.host.invalid')"
    (answer,) = ask(stage, python(), "-c", script)

    assert "gaierror" in answer["reason"] or "no.such.host.invalid" in answer["reason"]


@one_user(NO_RIGHTS)
def test_a_failed_assertion(stage: Stage) -> None:
    script = "import os; os.write(2, b'x.c:3: main: Assertion `p\\' failed.\\n'); os.abort()"
    (answer,) = ask(stage, python(), "-c", script, status=-signal.SIGABRT)

    assert answer["reason"].endswith("SIGABRT ← stderr: x.c:3: main: Assertion `p' failed.")


@one_user(NO_RIGHTS)
def test_who_sent_a_signal(stage: Stage) -> None:
    (answer,) = ask(stage, "timeout", "0.1", "sleep", "50", status=124)

    assert re.fullmatch(
        r"timeout\[(\d+)\] exit 124 ← sleep\[\d+\] SIGTERM ← sent by timeout\[\1\]",
        answer["reason"],
    )


@one_user(NO_RIGHTS)
def test_an_exception_that_no_call_explains(stage: Stage) -> None:
    said = run_python(stage, "int('x')")

    assert said.endswith("stderr: ValueError: invalid literal for int() with base 10: 'x'")


@one_user(NO_RIGHTS)
def test_a_name_that_a_module_lacks_is_no_file_that_is_missing(stage: Stage) -> None:
    said = run_python(stage, "from os import nosuch")

    assert "stderr: ImportError: cannot import name 'nosuch' from 'os'" in said


@one_user(NO_RIGHTS)
def test_a_file_that_the_command_line_names_and_stderr_does_not(stage: Stage) -> None:
    said = run_python(stage, "import sqlite3; sqlite3.connect('/none/db').execute('SELECT 1')")

    assert said.endswith("← perhaps open /none/db: ENOENT, there is no folder /none")


@one_user(NO_RIGHTS)
def test_what_tar_says_before_it_gives_up(stage: Stage, needs: Callable[[str], str]) -> None:
    (stage.work / "x.tar").write_text("x")

    said = reason(stage, needs("tar"), "xf", "x.tar", status=2)
    assert said.endswith("tar: This does not look like a tar archive")


@one_user(NO_RIGHTS)
def test_a_program_that_succeeds(stage: Stage) -> None:
    stage.new_home()
    stage.run(scopetrace_command("run", "sh", "-c", "ls /; true"))
    ending = stage.run(scopetrace_command("why"))

    assert re.fullmatch(
        r"nothing failed: sh\[\d+\] ended with status 0, and so did the process that it started\n",
        ending.stdout.decode(),
    )


@one_user(NO_RIGHTS)
def test_a_grep_that_finds_nothing_has_no_reason(stage: Stage) -> None:
    (stage.work / "text").write_text("x")

    assert reason(stage, "grep", "-q", "y", "text") == "grep exit 1 ← no failed call explains it"


@one_user(NO_RIGHTS)
def test_a_unix_socket_that_is_not_there(stage: Stage) -> None:
    path = f"{stage.work}/run/socket"
    script = f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')"

    assert run_python(stage, script).endswith(
        f"← connect {path}: ENOENT, there is no folder {stage.work}/run"
    )


def mounted(stage: Stage, options: str, script: str) -> list[str]:
    """Return a command that runs a script where `m` is a new file system of its own."""
    unshare = ["unshare", "-m"] if is_root(stage) else ["unshare", "-r", "-m"]
    if stage.run([*unshare, "true"]).status != 0:
        pytest.skip("unprivileged user namespaces are not permitted here")
    (stage.work / "m").mkdir()
    return [*unshare, "sh", "-c", f"mount -t tmpfs -o {options} none m && cd . && {script}"]


@one_user(NO_RIGHTS)
def test_a_file_system_that_is_full(stage: Stage) -> None:
    script = "exec dd if=/dev/zero of=m/big bs=4k count=99"
    said = reason(stage, *mounted(stage, "size=16k", script))

    assert said == (
        f"dd exit 1 ← write {stage.work}/m/big: ENOSPC, the file system at {stage.work}/m is full"
    )


@one_user(NO_RIGHTS)
def test_a_file_system_that_is_read_only(stage: Stage) -> None:
    said = reason(stage, *mounted(stage, "ro", "exec mkdir m/new"))

    assert said.endswith(f"mkdir {stage.work}/m/new: EROFS, {stage.work}/m is mounted read-only")


@one_user(NO_RIGHTS)
def test_a_file_system_that_runs_no_programs(stage: Stage) -> None:
    script = "cp /bin/true m/true; ./m/true; exit $?"
    said = reason(stage, *mounted(stage, "noexec", script), status=126)

    assert said.endswith(f"exec {stage.work}/m/true: EACCES, {stage.work}/m is mounted noexec")
