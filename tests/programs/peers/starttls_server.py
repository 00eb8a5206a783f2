"""A server that lets its client begin TLS in the way of a protocol, and then says one line.

    starttls_server.py PROTOCOL PORT CERTIFICATE KEY

It serves one connection after the other; SIGTERM ends it.
"""

from __future__ import annotations

import signal
import socket
import ssl
import sys

STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' from='scope.test'"
    b" xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
)
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
GREETING = (
    b"\x0a8.0.36\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15"
    + bytes(10)
    + b"ijklmnopqrst\0"
)

DIALOGUES = {
    "smtp": [b"220 mx ESMTP\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n"],
    "lmtp": [b"220 mx LMTP\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n"],
    "imap": [b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK\r\n", b". OK go\r\n"],
    "pop3": [b"+OK ready\r\n", b"+OK go\r\n"],
    "ftp": [b"220 ftp\r\n", b"234 go\r\n"],
    "xmpp": [b"", STREAM, PROCEED],
    "ldap": [b"", b"0\x0c\2\1\1x\x07\n\1\0\4\0\4\0"],
    "postgres": [b"", b"S"],
    "mysql": [len(GREETING).to_bytes(3, "little") + b"\0" + GREETING],
    "sieve": [b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n', b'OK "go"\r\n'],
}
"""What the server says first, and after each thing that the client says."""
SSL_REQUEST = 36
"""Bytes of it in MySQL, which TLS follows at once."""


def talk(connection: socket.socket, protocol: str, context: ssl.SSLContext) -> None:
    first, *answers = DIALOGUES[protocol]
    connection.sendall(first)
    for answer in answers:
        connection.recv(4096)
        connection.sendall(answer)
    if protocol == "mysql":
        connection.recv(SSL_REQUEST, socket.MSG_WAITALL)
    with context.wrap_socket(connection, server_side=True) as secret:
        secret.sendall(b"secret\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[3:5])
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                talk(connection, sys.argv[1], context)
