from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.tls import (
    CLIENT_HELLO,
    LONGEST,
    MOST_RECORDS,
    SERVER_HELLO,
    begins_hello,
    begins_old_hello,
    is_whole,
    read_hello,
)
from support.flow_reading import bytewise


def hello(name: str | None = "example.test", alpn: tuple[str, ...] = (), highest=None) -> bytes:
    """Return the ClientHello of Python's own client."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if highest is not None:
        context.maximum_version = highest
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def records(message: bytes, *sizes: int) -> bytes:
    """Return a handshake message in records of these sizes, the last one with the rest."""
    made = b""
    for size in (*sizes, len(message)):
        part, message = message[:size], message[size:]
        made += b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
    return made


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def handmade(kind: int, version: int, extensions: bytes, after: bytes) -> bytes:
    body = version.to_bytes(2, "big") + bytes(32) + vector(1, b"") + after + vector(2, extensions)
    return records(bytes((kind,)) + vector(3, body))


def extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + vector(2, data)


CLIENT_REST = vector(2, b"\x13\x01") + vector(1, b"\0")
SERVER_REST = b"\x13\x01\0"


@pytest.mark.parametrize("name", ["example.test", "a.b", "x" * 60 + ".example", "xn--bcher-kva.de"])
@pytest.mark.parametrize("alpn", [(), ("h2", "http/1.1"), ("h" * 255,)])
def test_the_name_and_the_protocols_of_a_real_client(name, alpn):
    found = read_hello(hello(name, alpn), CLIENT_HELLO)

    assert found == ("TLSv1.3", name, alpn)


def test_the_highest_version_offered_is_the_version():
    found = read_hello(hello(highest=ssl.TLSVersion.TLSv1_2), CLIENT_HELLO)

    assert found is not None
    assert found.version == "TLSv1.2"


@pytest.mark.parametrize("name", [None, "192.0.2.1"])
def test_a_client_need_not_say_whom_it_wants(name):
    found = read_hello(hello(name), CLIENT_HELLO)

    assert found is not None
    assert found.server_name == ""


def test_a_hello_in_several_records_is_one():
    whole = hello("split.test", ("h2",))

    assert read_hello(records(whole[5:], 1, 2, 100), CLIENT_HELLO) == (
        "TLSv1.3",
        "split.test",
        ("h2",),
    )


def test_a_hello_in_more_records_than_anybody_makes_is_not_read():
    message = hello()[5:]
    cut = records(message, *[1] * (MOST_RECORDS - 1))
    assert read_hello(cut, CLIENT_HELLO) is not None

    cut = records(message, *[1] * MOST_RECORDS)
    assert begins_hello(cut, CLIENT_HELLO) is True
    assert not is_whole(cut)
    assert read_hello(cut, CLIENT_HELLO) is None


@pytest.mark.parametrize("size", [18_000, 40_000, 66_000])
def test_of_a_hello_that_is_too_long_the_beginning_counts(size):
    name = extension(0, vector(2, b"\0" + vector(2, b"a.test")))
    versions = extension(43, vector(1, b"\x03\x04"))
    padding = b"".join(extension(21, bytes(1000)) for _ in range(size // 1000 - 1))
    late = extension(16, vector(2, vector(1, b"h2")))
    body = b"\3\3" + bytes(32) + vector(1, b"") + CLIENT_REST
    extensions = name + versions + padding + late
    if len(extensions) < 2**16:
        body += vector(2, extensions)
    else:
        body += b"\xff\xff" + extensions
    sent = records(bytes((CLIENT_HELLO,)) + vector(3, body), *[16_000] * 4)

    assert begins_hello(sent[:LONGEST], CLIENT_HELLO)
    assert read_hello(sent, CLIENT_HELLO) == ("TLSv1.3", "a.test", ())
    assert read_hello(sent[: LONGEST - 1], CLIENT_HELLO) is None


def test_what_is_there_to_be_ignored_is():
    extensions = (
        extension(0x0A0A, b"")
        + extension(16, vector(2, vector(1, b"\x3a\x3a") + vector(1, b"h2")))
        + extension(43, vector(1, b"\x7a\x7a\x03\x04\x03\x03"))
    )
    data = handmade(CLIENT_HELLO, 0x0303, extensions, CLIENT_REST)

    assert read_hello(data, CLIENT_HELLO) == ("TLSv1.3", "", ("h2",))


def test_a_name_that_is_no_ascii_is_shown_as_it_is():
    extensions = extension(0, vector(2, b"\0" + vector(2, b"a\xffb")))

    found = read_hello(handmade(CLIENT_HELLO, 0x0303, extensions, CLIENT_REST), CLIENT_HELLO)

    assert found is not None
    assert found.server_name == r"a\xffb"


@pytest.mark.parametrize(
    ("legacy", "extensions", "version"),
    [
        (0x0303, extension(43, b"\x03\x04"), "TLSv1.3"),
        (0x0303, b"", "TLSv1.2"),
        (0x0301, b"", "TLSv1.0"),
        (0x0399, b"", ""),
    ],
)
def test_the_version_is_the_one_that_a_server_chose(legacy, extensions, version):
    data = handmade(SERVER_HELLO, legacy, extensions, SERVER_REST)

    assert begins_hello(data, SERVER_HELLO) is True
    assert begins_hello(data, CLIENT_HELLO) is False
    found = read_hello(data, SERVER_HELLO)
    assert found is not None
    assert found.version == version


def test_a_hello_without_extensions_is_one():
    body = b"\x03\x01" + bytes(32) + vector(1, b"") + CLIENT_REST
    data = records(b"\x01" + vector(3, body))

    assert read_hello(data, CLIENT_HELLO) == ("TLSv1.0", "", ())


def test_what_has_come_may_become_a_hello_until_it_is_one():
    data = hello()
    so_far = b""
    for byte in bytewise(data):
        assert not is_whole(so_far)
        assert read_hello(so_far, CLIENT_HELLO) is None
        so_far += byte
        assert begins_hello(so_far, CLIENT_HELLO) is (True if len(so_far) > 9 else None)
    assert is_whole(so_far)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x05\x00\x10\x01\x00\x00\x0c\x03",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x10\x01\x01\x00\x0c\x03",
        b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x02",
        b"\x17\x03\x03\x00\x10",
    ],
)
def test_other_bytes_are_no_hello(data):
    assert begins_hello(data, CLIENT_HELLO) is False


def test_a_hello_in_the_form_of_sslv2_is_one():
    data = b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(0x15 + 16)

    assert begins_old_hello(data) is True
    assert all(begins_old_hello(data[:size]) is None for size in range(11))
    assert begins_old_hello(b"\x80\x2f" + data[2:]) is False
    assert begins_old_hello(b"\x80\x2e\x02") is False


@given(st.binary(max_size=300), st.integers(0, 600), st.binary(max_size=3))
def test_no_bytes_raise(data, at, other):
    real = hello("example.test", ("h2",)) if at % 7 == 0 else data
    for mangled in (data, b"\x16\x03\x01" + data, real[:at] + other + real[at + len(other) :]):
        for kind in (CLIENT_HELLO, SERVER_HELLO):
            begins_hello(mangled, kind)
            read_hello(mangled, kind)
        begins_old_hello(mangled)
        is_whole(mangled)
