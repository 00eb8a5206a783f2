from __future__ import annotations

import signal

from scopetrace.model.raw import Part, RawKind
from scopetrace.sources.process.source import MOST_ARGS
from support.raw_builder import MILLISECOND, status_text, strings


def test_a_start_holds_the_facts_of_the_program(tracee, recording):
    tracee.exec("/bin/next", "next", "a")

    assert recording.data("proc.start") == {
        "op": "execve",
        "exe": "/bin/next",
        "args": ("next", "a"),
        "cwd": "/home/me",
        "ppid": 50,
        "proc_uid": 1000,
        "proc_gid": 1001,
    }


def test_the_environment_is_held_only_if_configured(tracee, record):
    parts = {Part.ENVIRON: strings("SECRET=1")}
    plain = record()
    tracee.exec("/bin/next", missing=(0, 2), parts=parts)
    assert not {"env", "env_missing"} & plain.data("proc.start").keys()

    recording = record("scopetrace: {environment: true}\n")
    tracee.exec("/bin/next", parts=parts)
    assert recording.data("proc.start")["env"] == ("SECRET=1",)


def test_a_start_says_how_many_arguments_and_variables_are_missing(tracee, record):
    recording = record("scopetrace: {environment: true}\n")
    tracee.exec("/bin/next", missing=(5, 2), parts={Part.ENVIRON: strings("A=1")})

    data = recording.data("proc.start")
    assert (data["args_missing"], data["env_missing"]) == (5, 2)
    (*_, process) = recording.writer.processes.values()
    assert (process.args_missing, process.cmd) == (5, "/bin/next ... (5 more)")


def test_a_start_is_measured_with_whose_it_was(tracee, record):
    recording = record("metric: {enable: true, format: {verbosity: 9}, watch: [{type: process}]}\n")
    tracee.exec("/bin/next", "next", "a" * MOST_ARGS)
    recording.finish()

    (start,) = [s for s in recording.writer.samples if s.tags.get("args", "").startswith("next")]
    (*_, process) = recording.writer.processes.values()
    assert (start.name, start.value, start.tags) == (
        "proc.start",
        1,
        {
            "uid": 1000,
            "username": process.username,
            "gid": 1001,
            "groupname": process.groupname,
            "args": f"next {'a' * (MOST_ARGS - 5)}",
        },
    )


def test_an_exec_by_fd_has_its_own_name(tracee, recording):
    tracee.exec("/bin/next", call="execveat")

    assert recording.data("proc.start")["op"] == "execveat"


def test_a_fork_is_an_event_of_the_parent(tracee, recording):
    tracee.fork(200)

    (event,) = recording.of("proc.fork")

    assert event.data == {"op": "fork", "child_pid": 200}
    assert recording.writer.processes[event.process].pid == 100


def test_an_exit_has_its_code_and_what_it_cost(tracee, recording):
    tracee.fork(200)
    tracee.exit(7 << 8, pid=200)

    assert recording.data("proc.exit") == {
        "exit_code": 7,
        "duration": MILLISECOND // 1000,
        "cpu_user": 10,
        "cpu_system": 20,
        "max_rss": 3000,
        "minor_faults": 4,
        "major_faults": 5,
        "cpu_own": 25,
    }


def test_a_death_by_signal_has_its_name(tracee, recording):
    tracee.exit(signal.SIGSEGV | 0x80)

    data = recording.data("proc.exit")

    assert (data["signal"], data["core_dumped"]) == ("SIGSEGV", True)
    assert "exit_code" not in data


def test_only_a_death_by_signal_has_a_process_group_and_says_that_there_is_no_core(
    tracee, recording
):
    tracee.exec("/bin/next", parts={Part.STATUS: status_text() + b"NSpgid:\t60\n"})
    tracee.fork(200)
    tracee.exit(1 << 8, pid=200)
    tracee.exit(signal.SIGTERM)

    exited, killed = (event.data for event in recording.of("proc.exit"))
    assert not {"signal", "core_dumped", "process_group"} & exited.keys()
    assert (killed["core_dumped"], killed["process_group"]) == (False, 60)


def test_a_signal_has_its_sender_its_reason_and_how_many_it_stands_for(tracee, recording):
    tracee.add(RawKind.SIGNAL, args=(signal.SIGTERM, 0, 55, 1000, 1))
    tracee.add(RawKind.SIGNAL, args=(signal.SIGTERM, 0, 1, 0, 2))
    tracee.add(RawKind.SIGNAL, args=(signal.SIGSEGV, 2, 0x10, 0x7F00, 1))
    tracee.add(RawKind.SIGNAL, args=(signal.SIGSEGV, 2, 0, 0, 300))

    assert [event.data for event in recording.of("proc.signal")] == [
        {"signal": "SIGTERM", "sender_pid": 55, "sender_uid": 1000, "code": "SI_USER"},
        {"signal": "SIGTERM", "sender_pid": 1, "sender_uid": 0, "code": "SI_USER", "count": 2},
        {"signal": "SIGSEGV", "code": "SEGV_ACCERR", "address": "0x7f0000000010"},
        {"signal": "SIGSEGV", "code": "SEGV_ACCERR", "address": "0x0", "count": 300},
    ]


def test_a_process_that_sends_sigkill_is_named_with_the_receiver(tracee, recording):
    tracee.call("kill", 70, 9)
    tracee.call("kill", 0, 9)
    tracee.call("kill", -70, 9)

    assert [event.data for event in recording.of("proc.kill")] == [
        {"op": "kill", "what": "SIGKILL to 70", "target_pid": 70},
        {"op": "kill", "what": "SIGKILL to 0"},
        {"op": "kill", "what": "SIGKILL to -70", "target_group": 70},
    ]


def test_a_refused_call_is_described_in_words(tracee, recording):
    tracee.fail("kill", 1, 15, error=1)
    tracee.fail("timerfd_create", error=24)

    assert [event.data for event in recording.of("proc.error")] == [
        {"op": "kill", "error": "EPERM", "what": "SIGTERM to 1"},
        {"op": "timerfd_create", "error": "EMFILE"},
    ]
