from __future__ import annotations

from scopetrace.decode.pids import MOST_KEPT, PidNamespaces
from scopetrace.model.operation import Signalled
from scopetrace.model.raw import Part, RawKind

CLD_EXITED, SIGCHLD, SIGUSR1 = 1, 17, 10


def born(tracee, pid: int, *inside: int, namespace: int = 40, parent: int = 100) -> None:
    """Make a process that has these numbers in namespaces below the recorder's."""
    numbers = "\t".join(map(str, (pid, *inside)))
    parts = {Part.STATUS: f"Name:\tx\nNSpid:\t{numbers}\nUid:\t0\n".encode()}
    tracee.add(RawKind.FORK, result=pid, args=(17, pid, namespace), parts=parts, pid=parent)


def sent(tracee, receiver: int, sender: int, number: int = SIGUSR1, code: int = 0) -> None:
    tracee.add(RawKind.SIGNAL, args=(number, code, sender, 8), pid=receiver)


def senders(decoding) -> list[int]:
    return [signalled.sender_pid for signalled in decoding.only(Signalled)]


def test_a_sender_has_the_number_that_the_recorder_knows_it_by(tracee, decoding):
    born(tracee, 200, 1)
    born(tracee, 300, 2, parent=200)
    sent(tracee, 300, 1)
    tracee.exit(pid=300)
    sent(tracee, 200, 2, SIGCHLD, CLD_EXITED)
    sent(tracee, 100, 200)

    assert senders(decoding) == [200, 300, 200]


def test_a_sender_of_a_deeper_namespace_is_known_to_those_above(tracee, decoding):
    born(tracee, 200, 1)
    born(tracee, 300, 7, 1, namespace=41, parent=200)
    born(tracee, 400, 8, 2, namespace=41, parent=300)
    sent(tracee, 200, 8)
    sent(tracee, 300, 2)

    assert senders(decoding) == [400, 400]


def test_a_sender_that_cannot_be_known_is_left_out(tracee, decoding):
    born(tracee, 200, 1)
    sent(tracee, 200, 0)
    sent(tracee, 200, 99)

    assert senders(decoding) == [0, 0]


def test_a_number_that_is_used_again_is_the_new_ones(tracee, decoding):
    born(tracee, 200, 1)
    born(tracee, 300, 2, parent=200)
    tracee.exit(pid=300)
    born(tracee, 400, 2, parent=200)
    sent(tracee, 200, 2)

    assert senders(decoding) == [400]


def test_not_all_numbers_are_kept(tracee, decoding):
    namespaces, group = PidNamespaces(), decoding.decoder.state.tree.groups[100]
    for number in range(MOST_KEPT + 1):
        namespaces.born(group, group, 40, f"x\nNSpid:\t5\t{number}\n".encode())

    assert (namespaces.of(group, 0), namespaces.of(group, MOST_KEPT)) == (0, 100)
