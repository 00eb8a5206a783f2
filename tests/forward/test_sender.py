from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from scopetrace.forward.connections import DatagramConnection
from scopetrace.forward.sender import Sender
from support.collectors import HOST, collecting, datagrams, listener, read_all, udp_socket
from support.harness import PATIENCE, wait_for
from support.net_peers import free_port

SOON_S = 0.01
NEVER_S = 3600.0


def numbered(count, size=0):
    return [b"%d %s\n" % (number, b"x" * size) for number in range(count)]


def end(sender, patience_s=PATIENCE):
    sender.end()
    sender.join(patience_s)
    return sender.unsent


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = set(threading.enumerate())

    def is_over():
        new = set(threading.enumerate()) - before
        return not [thread for thread in new if thread.name == "sender"]

    yield
    wait_for(is_over, "the end of all senders")


def send_all(sender, lines):
    for at in range(0, len(lines), 100):
        sender.offer(lines[at : at + 100], bytes)
    return end(sender)


def test_lines_arrive_in_order_by_tcp(transport):
    lines = numbered(5000, 100)
    with collecting() as collector:
        assert send_all(Sender(transport("tcp", HOST, collector.port)), lines) == 0
        wait_for(lambda: collector.connections, "the end of the connection")

    assert collector.connections == [b"".join(lines)]


@pytest.mark.parametrize("abstract", [False, True])
def test_lines_arrive_by_a_unix_socket(transport, tmp_path, abstract):
    name = f"scopetrace-test-{os.getpid()}" if abstract else str(tmp_path / "socket")
    with collecting(f"\0{name}" if abstract else name) as collector:
        path = f"@{name}" if abstract else name
        assert send_all(Sender(transport("unix", path=path)), numbered(100)) == 0
        wait_for(lambda: collector.connections, "the end of the connection")

    assert collector.connections == [b"".join(numbered(100))]


def test_each_line_is_a_datagram_by_udp(transport):
    with udp_socket() as bound:
        assert send_all(Sender(transport("udp", *bound.getsockname())), numbered(100)) == 0

        assert datagrams(bound) == numbered(100)


def test_lines_are_appended_to_a_file_that_only_its_owner_reads(transport, tmp_path):
    path = tmp_path / "events"

    assert send_all(Sender(transport("file", path=path)), [b"a\n"]) == 0
    assert send_all(Sender(transport("file", path=path)), [b"b\n"]) == 0

    assert path.read_bytes() == b"a\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_can_be_written_in_large_pieces_only(transport, tmp_path):
    path = tmp_path / "events"
    full = Sender(transport("file", path=path, buffering="full"))

    full.offer([b"a\n"], bytes)
    wait_for(path.exists, "the file")
    assert path.read_bytes() == b""
    full.offer(numbered(700, 100), bytes)
    wait_for(lambda: path.read_bytes().startswith(b"a\n0 x"), "the first piece")
    assert end(full) == 0

    assert path.read_bytes() == b"a\n" + b"".join(numbered(700, 100))


def test_a_named_pipe_is_written_as_soon_as_somebody_reads_it(transport, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sender = Sender(transport("file", path=path), first_retry_s=SOON_S)
    sender.offer([b"a\n"], bytes)
    wait_for(lambda: sender.why_unsent == "it has no reader", "the first failure")

    with path.open("rb") as pipe:
        assert pipe.readline() == b"a\n"
    with path.open("rb") as pipe:
        sender.offer([b"b\n"], bytes)
        # A reader sees an end if it came before the sender knew that the first one had left.
        assert wait_for(pipe.readline, "the line") == b"b\n"
        assert end(sender) == 0


def test_two_that_write_to_one_named_pipe_leave_each_others_lines_whole(transport, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    wanted = numbered(3000, 500), numbered(3000, 300)
    with os.fdopen(os.open(path, os.O_RDWR), "rb") as pipe:  # it never ends
        senders = [Sender(transport("file", path=path)) for _ in wanted]
        for sender, lines in zip(senders, wanted, strict=True):
            sender.offer(lines, bytes)
            sender.end()
        found = [pipe.readline() for _ in range(6000)]
        assert [end(sender) for sender in senders] == [0, 0]

    assert sorted(found) == sorted(wanted[0] + wanted[1])


def test_each_connection_begins_with_the_greeting_and_nobody_counts_it(transport):
    lines = numbered(5000, 1000)
    with listener() as listening:
        sender = Sender(transport("tcp", *listening.getsockname()), first_retry_s=SOON_S)
        sender.first_line = b"hello " + b"x" * 200_000 + b"\n"
        sender.offer(lines, bytes)
        first, _ = listening.accept()
        assert first.recv(7) == b"hello x"
        first.close()
        second, _ = listening.accept()
        sender.end()
        greeting, *rest = read_all(second).splitlines(keepends=True)
        assert end(sender) == 0

    assert greeting == sender.first_line
    assert rest == lines[-len(rest) :]


def test_a_file_that_is_deleted_is_made_anew_with_all_that_comes_then(transport, tmp_path):
    path = tmp_path / "events"
    sender = Sender(transport("file", path=path), first_retry_s=SOON_S)
    sender.first_line = b"hello\n"
    sender.offer([b"a\n"], bytes)
    wait_for(lambda: path.exists() and path.read_bytes() == b"hello\na\n", "the first line")
    path.unlink()
    sender.offer([b"b\n"], bytes)

    wait_for(path.exists, "the file")
    assert end(sender) == 0
    assert path.read_bytes() == b"hello\nb\n"


def test_a_greeting_is_once_in_a_file_even_if_the_disk_was_full(transport, tmp_path):
    path = tmp_path / "events"
    sender = Sender(transport("file", path=path), first_retry_s=SOON_S)
    sender.first_line = b"hello\n"
    path.symlink_to("/dev/full")
    sender.offer([b"a\n"], bytes)
    wait_for(lambda: sender.why_unsent == "No space left on device", "the first failure")
    path.unlink()
    wait_for(lambda: not sender.unsent, "the line to be sent")
    sender.offer([b"b\n"], bytes)
    assert end(sender) == 0

    assert path.read_bytes() == b"hello\na\nb\n"


def test_datagrams_have_no_greeting(transport):
    with udp_socket() as bound:
        sender = Sender(transport("udp", *bound.getsockname()))
        sender.first_line = b"hello\n"
        assert send_all(sender, [b"a\n"]) == 0

        assert datagrams(bound) == [b"a\n"]


def test_what_nobody_takes_is_counted_and_the_end_does_not_wait_for_it(transport):
    sender = Sender(transport("tcp", HOST, free_port()), first_retry_s=NEVER_S)
    sender.offer(numbered(10), bytes)
    wait_for(lambda: sender.why_unsent == "Connection refused", "the first failure")

    assert end(sender, NEVER_S) == 10
    assert sender.name.startswith(f"tcp://{HOST}:")


def test_what_waits_arrives_when_the_destination_is_there_at_last(transport):
    port = free_port()
    sender = Sender(transport("tcp", HOST, port), first_retry_s=SOON_S)
    sender.offer(numbered(10), bytes)
    wait_for(lambda: sender.why_unsent == "Connection refused", "the first failure")

    with collecting((HOST, port)) as collector:
        wait_for(lambda: not sender.unsent, "all to be sent")
        assert end(sender) == 0
        wait_for(lambda: collector.connections, "the end of the connection")
    assert collector.connections == [b"".join(numbered(10))]


def test_a_connection_that_is_closed_while_nothing_is_sent_is_opened_anew(transport):
    with listener() as listening:
        sender = Sender(transport("tcp", *listening.getsockname()), first_retry_s=SOON_S)
        sender.offer([b"a\n"], bytes)
        first, _ = listening.accept()
        assert first.recv(9) == b"a\n"
        first.close()
        second, _ = listening.accept()

        sender.offer([b"b\n"], bytes)
        sender.end()

        assert read_all(second) == b"b\n"
        assert end(sender) == 0


def test_after_a_connection_broke_a_line_that_was_cut_off_is_sent_as_a_whole(transport):
    lines = numbered(5000, 1000)
    with listener() as listening:
        sender = Sender(transport("tcp", *listening.getsockname()), first_retry_s=SOON_S)
        sender.offer(lines, bytes)
        first, _ = listening.accept()
        assert first.recv(3) == b"0 x"
        first.close()
        second, _ = listening.accept()
        sender.end()
        received = read_all(second)
        assert end(sender) == 0

    rest = received.splitlines(keepends=True)
    assert 0 < len(rest) < len(lines)
    assert rest == lines[-len(rest) :]


def test_a_destination_that_reads_nothing_gets_what_fits_and_the_rest_is_counted(transport):
    lines = numbered(20_000, 1000)
    with listener() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sender = Sender(transport("tcp", *listening.getsockname()), most_bytes=200_000)
        for line in lines:
            sender.offer([line], bytes)
        slow, _ = listening.accept()
        unsent = end(sender, 0.1)
        arrived = read_all(slow)

    assert sender.why_unsent == "it did not take them fast enough"
    whole = arrived[: arrived.rfind(b"\n") + 1].splitlines(keepends=True)
    assert len(whole) == len(lines) - unsent
    assert whole == sorted(set(whole) & set(lines), key=lambda line: int(line.split()[0]))
    assert unsent > 10_000


def test_a_destination_that_never_accepts_is_no_hindrance(transport):
    with socket.socket() as deaf:
        deaf.bind((HOST, 0))
        deaf.listen(0)
        with socket.create_connection(deaf.getsockname()):
            sender = Sender(transport("tcp", *deaf.getsockname()))
            sender.offer(numbered(10), bytes)

            assert end(sender, 0.1) == 10
            assert sender.why_unsent == "it did not answer in time"


def test_an_item_of_two_lines_is_two_that_are_sent_or_not(transport):
    with collecting() as collector:
        assert send_all(Sender(transport("tcp", HOST, collector.port)), [b"a\nb\n", b"c\n"]) == 0
        wait_for(lambda: collector.connections, "the end of the connection")
    assert collector.lines == [b"a", b"b", b"c"]
    with udp_socket() as bound:
        assert send_all(Sender(transport("udp", *bound.getsockname())), [b"a\nb\n"]) == 0
        assert datagrams(bound) == [b"a\n", b"b\n"]
    nobody = Sender(transport("tcp", HOST, free_port()), first_retry_s=NEVER_S)
    nobody.offer([b"a\nb\n"], bytes)
    assert end(nobody, 0) == 2


def test_datagrams_that_nobody_listens_for_are_counted(transport):
    sender = Sender(transport("udp", HOST, free_port()))

    assert send_all(sender, numbered(1000)) == 1000
    assert sender.why_unsent == "Connection refused"


def connected(*ports):
    found = [socket.socket(type=socket.SOCK_DGRAM) for _ in ports]
    for each, port in zip(found, ports, strict=True):
        each.connect((HOST, port))
    return found


def test_datagrams_go_to_the_address_of_a_name_that_is_listened_at():
    with udp_socket() as bound:
        link = DatagramConnection(connected(free_port(), free_port(), bound.getsockname()[1]))
        lines, sent = memoryview(b"a\nb\nc\n"), 0
        while sent < len(lines):
            sent += link.send(lines[sent:])
        link.finish()
        link.close()

        assert datagrams(bound) == [b"a\n", b"b\n", b"c\n"]
    assert link.lost == 0


def test_a_name_of_which_no_address_is_listened_at_is_tried_again_later():
    link = DatagramConnection(connected(free_port(), free_port()))
    assert link.send(memoryview(b"a\n")) == 2
    with pytest.raises(ConnectionRefusedError):
        link.finish()
    link.close()

    assert (link.lost, link.problem) == (1, "Connection refused")


def test_a_line_that_is_no_datagram_is_counted_and_no_other(transport):
    with udp_socket() as bound:
        sender = Sender(transport("udp", *bound.getsockname()))

        assert send_all(sender, [b"a\n", b"x" * 70_000 + b"\n", b"b\n"]) == 1
        assert sender.why_unsent == "Message too long"
        assert datagrams(bound) == [b"a\n", b"b\n"]


def test_a_full_disk_is_counted(transport):
    sender = Sender(transport("file", path="/dev/full"), first_retry_s=NEVER_S)

    assert send_all(sender, numbered(10)) == 10
    assert sender.why_unsent == "No space left on device"


def test_a_host_that_cannot_be_is_a_problem_like_any_other(transport):
    sender = Sender(transport("tcp", "a..b", 1), first_retry_s=NEVER_S)

    assert send_all(sender, numbered(1)) == 1
    assert sender.why_unsent


def test_pauses_double_up_to_a_minute_and_a_little_more(transport):
    sender = Sender(transport("tcp", HOST, 1))

    pauses = [sender.retry_s(failures) for failures in range(1, 2000)]

    for least, pause in zip([1, 2, 4, 8, 16, 32, 64, 64, 64], pauses, strict=False):
        assert least <= pause < least + 1
    assert max(pauses) < 65
    assert len(set(pauses[10:])) > 1
    assert end(sender) == 0


@pytest.mark.parametrize("host", ["localhost", HOST])
def test_tls_goes_only_to_who_is_trusted_and_has_that_name(transport, authority, host):
    with collecting(context=authority.server) as collector:
        checked = transport("tls", host, collector.port, tls={"cacertpath": authority.certificate})
        sender = Sender(checked, first_retry_s=NEVER_S)
        unsent = send_all(sender, numbered(1000, 100))
        if host == "localhost":
            assert unsent == 0
            wait_for(lambda: collector.connections, "the end of the connection")
            assert collector.connections == [b"".join(numbered(1000, 100))]
        else:
            assert unsent == 1000
            assert sender.why_unsent.startswith("its certificate is not accepted: IP address")
            assert collector.lines == []


def test_tls_goes_to_nobody_whom_the_system_does_not_trust(transport, authority):
    with collecting(context=authority.server) as collector:
        sender = Sender(transport("tls", "localhost", collector.port), first_retry_s=NEVER_S)

        assert send_all(sender, numbered(10)) == 10
        assert sender.why_unsent.startswith("its certificate is not accepted: unable to get")
    assert collector.lines == []


def test_tls_goes_to_nobody_whose_certificate_has_expired(transport, authority):
    with collecting(context=authority.expired) as collector:
        checked = transport(
            "tls", "localhost", collector.port, tls={"cacertpath": authority.certificate}
        )
        sender = Sender(checked, first_retry_s=NEVER_S)

        assert send_all(sender, numbered(10)) == 10
        assert sender.why_unsent == "its certificate is not accepted: certificate has expired"
    assert collector.lines == []


def test_tls_that_never_begins_is_no_hindrance(transport):
    with listener() as listening:
        sender = Sender(transport("tls", *listening.getsockname()), first_retry_s=NEVER_S)
        sender.offer(numbered(10), bytes)
        silent, _ = listening.accept()
        with silent:
            assert end(sender, 0.1) == 10


def test_tls_goes_to_anybody_if_that_is_wanted(transport, authority):
    with collecting(context=authority.server) as collector:
        anybody = transport(
            "tcp", HOST, collector.port, tls={"enable": True, "validateserver": False}
        )
        assert send_all(Sender(anybody), numbered(10)) == 0
        wait_for(lambda: collector.connections, "the end of the connection")

    assert collector.connections == [b"".join(numbered(10))]


def test_a_server_that_speaks_no_tls_is_a_problem_and_gets_nothing(transport):
    with listener() as listening:
        sender = Sender(transport("tls", *listening.getsockname()), first_retry_s=NEVER_S)
        sender.offer([b"secret\n"], bytes)
        plain, _ = listening.accept()
        with plain:
            said = plain.recv(65_536)
            plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            assert end(sender) == 1
            with suppress(ConnectionResetError):
                said += plain.recv(65_536)
    assert b"secret" not in said
    assert sender.why_unsent == "WRONG_VERSION_NUMBER"


class Noting(Sender):
    """Does not wait between two tries, and keeps which one it was."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.failures: list[int] = []

    def retry_s(self, failures: int) -> float:
        self.failures.append(failures)
        return 0.0


def test_failures_in_a_row_are_counted(transport, tmp_path):
    sender = Noting(transport("unix", path=tmp_path / "nobody"))
    sender.offer([b"a\n"], bytes)
    wait_for(lambda: len(sender.failures) > 2, "three tries")
    end(sender)

    assert sender.failures[:3] == [1, 2, 3]
