from __future__ import annotations

import pytest

from scopetrace.cli.run import run


def test_run_takes_its_own_options_before_the_program_only():
    context = run.make_context("run", ["-u", "my.yml", "--", "ls", "-u", "--", "--help"])

    assert str(context.params["userconfig"]) == "my.yml"
    assert context.params["args"] == ("ls", "-u", "--", "--help")


@pytest.mark.parametrize(
    ("args", "chosen", "program"),
    [
        (["--syscalls", "cat", "file"], "all", ("cat", "file")),
        (["--syscalls=read,%file", "cat"], "read,%file", ("cat",)),
        (["-q", "--syscalls", "--", "--syscalls"], "all", ("--syscalls",)),
        (["--syscalls", "-e", "--syscalls", "cat"], "all", ("cat",)),
        (["-qe", "unix:///x", "--syscalls", "cat"], "all", ("cat",)),
        (["cat", "--syscalls"], None, ("cat", "--syscalls")),
        (["-e", "file:///x", "cat", "--syscalls"], None, ("cat", "--syscalls")),
    ],
)
def test_the_program_follows_syscalls_without_a_set(args, chosen, program):
    context = run.make_context("run", args)

    assert context.params["syscalls"] == chosen
    assert context.params["args"] == program


def test_a_set_of_no_calls_is_refused_before_the_program_runs(scopetrace):
    status, out, err = scopetrace("run", "--syscalls=opnat", "echo", "x")

    assert (status, out) == (2, "")
    assert "there is no system call opnat; did you mean openat" in err


def test_calls_that_are_not_recorded_cannot_be_printed(scopetrace):
    status, out, err = scopetrace("run", "--print", "echo", "x")

    assert (status, out, err) == (2, "", "scopetrace: --print needs --syscalls\n")


def test_a_mistyped_command_is_met_with_the_one_that_was_meant(scopetrace):
    status, out, err = scopetrace("evnts", "-a")

    assert (status, out) == (127, "")
    assert err == (
        "scopetrace: no command or program named 'evnts'; did you mean `scopetrace events`?\n"
    )


def test_a_program_that_is_not_there_is_not_found_and_leaves_no_session(scopetrace, home):
    for args in (["no-such-program-anywhere"], ["run", "evnts"], ["--", "evnts"]):
        status, out, err = scopetrace(*args)
        assert (status, out) == (127, "")
        assert "did you mean" not in err
        assert err.count("\n") == 1
    assert not [*home.glob("sessions/*.db")]
