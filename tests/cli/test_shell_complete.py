from __future__ import annotations

import os
import subprocess
import sys


def answers(shell, words, current):
    """Return the lines of what the program proposes when a shell asks."""
    environ = {
        **os.environ,
        "_SCOPETRACE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(current),
    }
    done = subprocess.run(
        (sys.executable, "-m", "scopetrace"),
        capture_output=True,
        text=True,
        timeout=30,
        env=environ,
    )
    return done.stdout.splitlines()


def proposed(*words):
    lines = answers("bash", " ".join(words), len(words) - 1)
    return {line.partition(",")[2] for line in lines}


def test_commands_names_and_files_are_proposed():
    assert proposed("scopetrace", "h") == {"history"}
    assert proposed("scopetrace", "--v") == {"--version"}
    assert proposed("scopetrace", "events", "-t", "con") == {"console"}
    assert proposed("scopetrace", "./lo") == {"./lo"}
    assert proposed("scopetrace", "run", "./lo") == {"./lo"}


def test_the_program_to_run_is_completed_and_files_are_after_it(tmp_path, monkeypatch):
    for name in ("prog-one", "prog-two", "other"):
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "prog-data").touch(mode=0o644)
    monkeypatch.setenv("PATH", f"/nowhere:{tmp_path}:{os.environ['PATH']}")

    assert proposed("scopetrace", "run", "prog-") == {"prog-one", "prog-two"}
    assert proposed("scopetrace", "run", "-p", "--", "prog-o") == {"prog-one"}
    assert proposed("scopetrace", "prog-t") == {"prog-two"}
    assert proposed("scopetrace", "run", "prog-one", "prog-") == {"prog-"}
    assert answers("fish", "scopetrace run prog-o", "prog-o") == ["plain,prog-one"]
    assert "prog-two" in answers("zsh", "scopetrace run prog-t", 2)


def test_the_last_word_of_a_list_is_completed():
    assert proposed("scopetrace", "events", "-s", "fs.open,fs.cl") == {"fs.open,fs.close"}


def test_fields_of_events_are_completed():
    assert "file_read_bytes" in proposed("scopetrace", "events", "--sort", "file_read_b")
    assert proposed("scopetrace", "events", "--fields", "file,net_peer_p") == {"file,net_peer_port"}


def test_the_sessions_there_are_are_proposed_with_their_commands(recorder):
    assert answers("zsh", "scopetrace events --id ", 3) == [""]

    recorder.record()
    recorder.record(command="nginx")

    assert answers("zsh", "scopetrace events --id ", 3) == [
        "plain",
        "2",
        "nginx",
        "plain",
        "1",
        "python3",
    ]
